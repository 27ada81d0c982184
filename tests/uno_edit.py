"""Edits workbooks in LibreOffice as a person would: ``/usr/bin/python3 uno_edit.py JOBS.json [SECONDS]``.

A program for the Python that has LibreOffice's bridge (Debian: python3-uno). JOBS.json is a list of
``{"source", "target", "steps"}``, all done in one LibreOffice, or as many as can be started within the given
seconds. Rows and columns count from 0. Steps:

    ["insert rows", tab, row, count]    ["insert columns", tab, column, count]
    ["type", tab, row, column, value]   ["rename", tab, new tab]

At the end everything is recalculated hard, unless a job says ``"hard": false``, and saved as Excel's .xlsx.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

FILTER = "Calc MS Excel 2007 XML"
PATIENCE = 60  # seconds until LibreOffice must have started


def settings(**values):
    return tuple(PropertyValue(Name=name, Value=value) for name, value in values.items())


def connect(pipe):
    """Wait for the LibreOffice that listens on a pipe, and return its desktop."""
    here = uno.getComponentContext()
    resolver = here.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", here)
    until = time.monotonic() + PATIENCE
    while True:
        try:
            there = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return there.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", there)
        except NoConnectException:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def step(sheets, what, tab, *arguments):
    sheet = sheets.getByName(tab)
    if what == "insert rows":
        sheet.Rows.insertByIndex(*arguments)
    elif what == "insert columns":
        sheet.Columns.insertByIndex(*arguments)
    elif what == "rename":
        sheet.setName(*arguments)
    else:
        row, col, value = arguments
        cell = sheet.getCellByPosition(col, row)
        if isinstance(value, str):
            cell.setString(value)
        else:
            cell.setValue(value)


def edit(desktop, source, target, steps, *, hard=True):
    document = desktop.loadComponentFromURL(Path(source).as_uri(), "_blank", 0, settings(Hidden=True))
    try:
        for each in steps:
            step(document.Sheets, *each)
        if hard:
            document.calculateAll()
        document.storeToURL(Path(target).as_uri(), settings(FilterName=FILTER))
    finally:
        document.close(True)  # noqa: FBT003 - the bridge takes no keywords


def main(order, seconds="inf"):
    jobs = json.loads(Path(order).read_text("utf-8"))
    pipe = f"xlsxattn{os.getpid()}"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        profile = Path(folder, "profile").as_uri()
        command = ["soffice", f"-env:UserInstallation={profile}", "--headless", "--norestore", "--nologo"]
        office = subprocess.Popen([*command, f"--accept=pipe,name={pipe};urp;"])
        try:
            desktop = connect(pipe)
            until = time.monotonic() + float(seconds)
            for job in jobs:
                if time.monotonic() > until:
                    break
                edit(desktop, **job)
            desktop.terminate()
            office.wait(PATIENCE)
        finally:
            office.kill()


if __name__ == "__main__":
    main(*sys.argv[1:])
