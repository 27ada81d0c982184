"""Shows workbooks without a spreadsheet: in the terminal, in a notebook, as a page, as a picture.

It reads workbook files only, and does not depend on the builder.
"""
