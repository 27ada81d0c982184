"""The command line."""

from xlsxattn.cli.commands import main

__all__ = ["main"]
