"""The command line."""

from xlsxattn.cli.main import main

__all__ = ["main"]
