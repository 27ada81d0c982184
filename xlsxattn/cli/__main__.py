"""``python -m xlsxattn.cli`` is ``xlsxattn``."""

from xlsxattn.cli.main import main

main()
