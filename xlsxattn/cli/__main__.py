"""``python -m xlsxattn.cli`` is ``xlsxattn``."""

from xlsxattn.cli import main

main()
