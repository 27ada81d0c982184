"""Reads untrusted workbooks within limits, and copies them for engines."""
