"""Workbooks as files hold them: read within limits, believed in nothing, copied for engines."""
