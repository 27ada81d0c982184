"""Shows workbooks without a spreadsheet: in the terminal, in a notebook, as a page, as a picture.

It knows workbook files alone, and nothing of how they were made.
"""
