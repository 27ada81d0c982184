"""Every command and code block of the documentation is run in order, and its output is compared."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from browser import chromium
from commands import run
from conftest import THOROUGH, require
from weights import checkpoints
from weights.checkpoints import BERT, LLAMA

from xlsxattn import press, templates
from xlsxattn.checker import check as checking
from xlsxattn.spec_schema import schema
from xlsxattn.view import look as viewing

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "README.zh.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if p.parent.name != "reference"),
]
KNOWN = "the cat and mouse are friends keyboard useful once upon a time . [CLS] [SEP]"
"""The words in the tokenizers of the small models."""
INSTALLS = "python3 -m venv .venv && .venv/bin/pip install"
BLOCK = re.compile(r'^```(\w*)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
REFUSED = "xlsxattn: "
"""The start of a block of text with the error of the command before it."""


@dataclass
class Reader:
    """Runs the blocks of a page in an empty folder; ``real``: with the real models that it names."""

    real: bool = False
    said: str = ""
    specs: list[str] = field(default_factory=list)
    names: dict[str, object] = field(default_factory=dict)

    def page(self, text: str) -> None:
        """Run all blocks of a page in order."""
        blocks = BLOCK.findall(text)
        doing = {"text": self.text, "toml": self.toml, "python": self.python, "yaml": self.yaml}
        doing["javascript"] = self.javascript
        for i, (language, title, block) in enumerate(blocks):
            after, _, shown = blocks[i + 1] if i + 1 < len(blocks) else ("", "", "")
            if not language:
                self.shell(block, refused=after == "text" and shown.startswith(REFUSED))
            elif language == "text" and title and not self.real:
                continue  # what a trained model gives; tests/weights/test_pretrained.py compares it
            elif title and language != "text":
                self.file(title, block)
            else:
                assert language in doing, f"nobody runs {language!r}"
                doing[language](block)

    def file(self, name: str, text: str) -> None:
        """Save a file for later commands, as the page says."""
        assert Path(name).name == name, name
        if name.endswith(".toml"):
            jsonschema.Draft7Validator(schema()).validate(tomllib.loads(text))
        Path(name).write_text(text, "utf-8")

    def shell(self, text: str, *, refused: bool = False) -> None:
        self.said = ""
        lines = text.replace("\\\n", "").strip().splitlines()
        for i, line in enumerate(lines):
            command = line.removeprefix(INSTALLS).removeprefix(" . && ").replace(".venv/bin/", "")
            if command == " .":
                continue  # CI installs a wheel, and test_packaging.py makes one
            if line.startswith(INSTALLS) and not command.startswith("xlsxattn"):
                assert line in (ROOT / ".ci/run").read_text("utf-8").splitlines(), f"who runs {line!r}?"
            elif command.startswith("eval "):
                program = f'export PATH="{Path(sys.executable).parent}:$PATH"; set -e; {command}'
                subprocess.run([shutil.which("bash") or "bash", "-c", program], check=True)
            else:
                self.command(command, 2 if refused and i == len(lines) - 1 else 0)

    def command(self, line: str, code: int = 0) -> None:
        program, *words = shlex.split(line)
        assert program == "xlsxattn", f"nobody runs {line!r}"
        target = words[words.index(">") + 1] if ">" in words else None
        if "all" in words and "--engine" in words:
            for engine in ("libreoffice", "gnumeric"):
                require(engine)
        if "preview" in words and not words[-1].endswith(".html"):
            require("libreoffice")
        ended = run(*(words[: words.index(">")] if target else words))
        assert ended.code == code, (line, ended.err)
        if target:
            Path(target).write_text(ended.out, "utf-8")
        self.said += ended.err if code else ended.out

    def text(self, wanted: str) -> None:
        """Compare the output of a command: these parts in order, ignoring whitespace; ``...`` is any text."""
        if "─►" in wanted:
            return  # a drawing
        said = " ".join(self.said.split())
        for part in re.split(r"^\.\.\.$", wanted, flags=re.MULTILINE):
            words = " ".join(part.split())
            _, found, said = said.partition(words) if words else ("", "...", said)
            assert found, f"{part}\nis not in\n{self.said}"

    def toml(self, text: str) -> None:
        data = tomllib.loads(text)
        if "vocabulary" not in data:
            assert set(data) <= set(schema()["properties"])
            return
        jsonschema.Draft7Validator(schema()).validate(data)
        if "from" in data["vocabulary"]:
            return  # needs a data file
        place = Path("bank.toml")
        place.write_text(text, "utf-8")
        assert press.build(place, Path("spec.xlsx")).report.holds

    def python(self, text: str) -> None:
        if "import torch" in text and os.environ.get("XLSXATTN_REQUIRE_LIBRARIES") != "1":
            pytest.importorskip("torch", reason="PyTorch is missing: the rest of this page is not tried")
        with redirect_stdout(StringIO()):
            exec(compile(text, "a page", "exec"), self.names)

    def javascript(self, text: str) -> None:
        """Run a script in the console of the only live page so far; its output is compared as text."""
        library = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install it")
        [place] = Path().glob("*.html")
        with library.sync_playwright() as engine:
            tab = engine.chromium.launch(executable_path=chromium(), args=["--no-sandbox"]).new_page()
            tab.goto(place.resolve().as_uri())
            tab.wait_for_selector("[data-ready]", state="attached", timeout=60_000)
            with tab.expect_console_message() as message:
                tab.evaluate(f"() => {{ {text} }}")  # raises the script's error
            self.said = message.value.text

    def yaml(self, text: str) -> None:
        assert yaml.safe_load(text)


def stand_ins() -> None:
    """Small models in place of the real ones: with the same layers and heads, and random weights."""
    bert = {**BERT, "num_hidden_layers": 6, "num_attention_heads": 12, "hidden_size": 24, "vocab_size": 16}
    bert |= {"max_position_embeddings": 32}
    folder = checkpoints.write(Path("models/all-MiniLM-L6-v2"), bert, checkpoints.draw(bert))
    llama = {**LLAMA, "tie_word_embeddings": True, "max_position_embeddings": 32, "vocab_size": 16}
    checkpoints.write(Path("glassllm/weights"), llama, {})
    np.savez("glassllm/weights/en.npz", **checkpoints.draw(llama))
    for place in (folder, Path("glassllm/weights")):
        checkpoints.write_tokenizer(place / "tokenizer.json", 16, KNOWN.split())
    pickled(folder, Path("models/old-bert"), checkpoints.draw(bert))


def pickled(beside: Path, folder: Path, tensors: dict[str, np.ndarray]) -> None:
    """A checkpoint in the older, pickled format; without PyTorch only its name is right."""
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        shutil.copyfile(beside / name, folder / name)
    if importlib.util.find_spec("torch") is None:
        (folder / "pytorch_model.bin").write_bytes(b"\x80\x02")
        return
    torch = importlib.import_module("torch")
    made = {name: torch.tensor(array) for name, array in tensors.items()}
    torch.save(made, folder / "pytorch_model.bin")


@pytest.fixture(scope="module", autouse=True)
def _once():
    """Write, check (with each engine) and read each workbook once: many commands of many pages use the same.

    Engines other than IronCalc, each set of inputs a file to them, get the saved inputs only. So do builds,
    unless XLSXATTN_THOROUGH=1: drawn specs are proved with other inputs in test_properties.py.
    """
    build, write, written = press.build, press._write, {}
    built: list[Any] = []  # the template that is being built, with its language and detail

    def build_of(source, *place, changed=None, **options):
        if isinstance(source, Path) and source.parent == templates.folder():
            built[:] = [source, changed]
        try:
            return build(source, *place, changed=changed, **options)
        finally:
            built.clear()

    def written_once(book, sheets, scratch):
        if not built:
            return write(book, sheets, scratch)
        path = scratch / "valued.xlsx"
        if repr(built) in written:
            path.write_bytes(written[repr(built)])
        else:
            path = write(book, sheets, scratch)
            written[repr(built)] = path.read_bytes()
        return path

    check, reports = checking._check, {}

    def checked(path, engine, inputs, *how, few):
        inputs = "as-saved" if engine == "all" or (few and not THOROUGH) else inputs
        key = (Path(path).read_bytes(), few, engine, inputs, *how)
        if key not in reports:
            reports[key] = check(path, engine, inputs, *how, few=few)
        return replace(reports[key], path=str(path))

    look, last = viewing.look, {}

    def looked(path, engine="saved"):
        key = (str(path), Path(path).read_bytes(), engine)
        if key not in last:
            last.clear()
            last[key] = look(path, engine)
        return last[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(press, "build", build_of)
        patch.setattr(press, "_write", written_once)
        patch.setattr(checking, "_check", checked)
        patch.setattr(viewing, "look", looked)
        yield


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_code_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    stand_ins()
    Reader().page(page.read_text("utf-8"))


def test_a_page_with_wrong_numbers_fails(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reader = Reader()
    reader.shell("xlsxattn build causal\nxlsxattn show output/causal.xlsx causal_chase_Attention")
    reader.text("cat      0.025   0.975    0.000   0.000   0.000\n...\nmouse    0.020\n")
    with pytest.raises(AssertionError, match=r"is not in"):
        reader.text("cat      0.025   0.976    0.000   0.000   0.000\n")
    with pytest.raises(AssertionError, match="nobody runs"):
        reader.shell("make me a sandwich")
    with pytest.raises(AssertionError, match="nobody runs 'sh'"):
        reader.page("```sh\nmake\n```\n")
    with pytest.raises(AssertionError, match="xlsxattn templates"):  # which is not refused
        reader.page("```\nxlsxattn templates\n```\n\n```text\nxlsxattn: no\n```\n")
    with pytest.raises(AssertionError, match=r"is not in"):
        reader.page("```\nxlsxattn build no.toml\n```\n\n```text\nxlsxattn: no.toml: other\n```\n")
    with pytest.raises(AssertionError, match="there is no range"):
        reader.shell("xlsxattn show output/causal.xlsx nonsense")


def test_every_page_is_in_the_site_and_links_are_valid():
    listed = re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    here = {str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs").rglob("*.md")}
    assert set(listed) == here
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        text = re.sub(r"`[^`]*`", "", page.read_text("utf-8"))
        for link in re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'(?:href|src)="([^"]+)"', text):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_picture_of_the_documents_is_used():
    text = "".join(page.read_text("utf-8") for page in PAGES)
    for picture in (ROOT / "docs/pictures").iterdir():
        assert f"pictures/{picture.name}" in text, picture.name
