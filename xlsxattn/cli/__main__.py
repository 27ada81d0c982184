"""``python -m xlsxattn.cli`` is ``xlsxattn``."""

from xlsxattn.cli.commands import main

main()
