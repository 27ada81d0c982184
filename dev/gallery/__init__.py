"""Makes what is shown: ready workbooks, their pictures, the reference pages; says what is out of date."""
