"""Generates or checks the workbooks in output/, the pictures and the reference pages."""
