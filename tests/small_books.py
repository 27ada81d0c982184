"""A small spec, and changes to its workbook and to other files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl

SPEC = """
title = {title}
[vocabulary.tokens]
cat = [1.0, 0.5]
mouse = [0.0, 2.0]
[contexts]
one = "cat mouse"
[[sheets]]
id = "attn"
title = {title}
[[sheets]]
id = "compare"
kind = "compare"
"""


def spec(title="Two words", name="spec.toml"):
    quoted = title.replace("\\", "\\\\").replace('"', '\\"')
    Path(name).write_text(SPEC.format(title=f'"{quoted}"'), "utf-8")
    return name


def title(path):
    """The first text of the first sheet."""
    (first, *_) = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    return next(filter(None, first))


def other_number(path):
    book = openpyxl.load_workbook(path)
    book["Inputs"].cell(1, 12).value = 7
    book.save(path)


def saved_again(path):
    openpyxl.load_workbook(path).save(path)


def one_part_changed(path):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/sharedStrings.xml"] = parts["xl/sharedStrings.xml"].replace(b"mouse", b"house")
    rewritten(path, parts)


def one_part_more(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/notes.xml", "<mine/>")


def no_digest(path):
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if "custom" not in name}
    rewritten(path, parts)


def rewritten(path, parts):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def of_another_maker(path):
    openpyxl.Workbook().save(path)


def text_file(path):
    path.write_text("my notes", "utf-8")


def empty_file(path):
    path.write_bytes(b"")


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-2000])


def garbled(path):
    """The directory of the archive is intact, but the content is not."""
    content = bytearray(path.read_bytes())
    content[60:160] = b"\xff" * 100
    path.write_bytes(content)


def a_folder(path):
    path.unlink()
    path.mkdir()
