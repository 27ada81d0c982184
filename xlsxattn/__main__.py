"""``python -m xlsxattn`` is ``xlsxattn``."""

from xlsxattn.cli import main

main()
