"""Every command and every block of code in the documents is run, in order, and what they show is compared."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from commands import run
from conftest import require
from weights import checkpoints
from weights.checkpoints import BERT, LLAMA

from xlsxattn import press
from xlsxattn.spec_schema import schema

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if p.parent.name != "reference"),
]
INSTALLS = "python3 -m venv .venv && .venv/bin/pip install"


@dataclass
class Reader:
    """Somebody who types what a page says, in an empty folder."""

    said: str = ""
    specs: list[str] = field(default_factory=list)
    names: dict[str, object] = field(default_factory=dict)

    def shell(self, text: str) -> None:
        self.said = ""
        for line in text.replace("\\\n", "").strip().splitlines():
            command = line.removeprefix(INSTALLS).removeprefix(" . && ").replace(".venv/bin/", "")
            if line.startswith(INSTALLS) and not command.startswith("xlsxattn"):
                assert line in (ROOT / ".ci/run").read_text("utf-8").splitlines(), f"who runs {line!r}?"
            elif command.startswith("eval "):
                program = f'export PATH="{Path(sys.executable).parent}:$PATH"; set -e; {command}'
                subprocess.run([shutil.which("bash") or "bash", "-c", program], check=True)
            else:
                self.command(command)

    def command(self, line: str) -> None:
        program, *words = shlex.split(line)
        assert program == "xlsxattn", f"nobody runs {line!r}"
        target = words[words.index(">") + 1] if ">" in words else None
        if "all" in words:
            for engine in ("libreoffice", "gnumeric"):
                require(engine)
        if "preview" in words and not words[-1].endswith(".html"):
            require("libreoffice")
        ended = run(*(words[: words.index(">")] if target else words))
        assert ended.code == 0, (line, ended.err)
        if target:
            Path(target).write_text(ended.out, "utf-8")
        self.said += ended.out

    def text(self, wanted: str) -> None:
        """What a command shows: these parts in this order, blanks aside; dots stand for anything."""
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
        with redirect_stdout(StringIO()):
            exec(compile(text, "a page", "exec"), self.names)

    def yaml(self, text: str) -> None:
        assert yaml.safe_load(text)


def stand_ins() -> None:
    """Small models where the pages speak of real ones: of as many layers and heads, with drawn weights."""
    bert = {**BERT, "num_hidden_layers": 6, "num_attention_heads": 12, "hidden_size": 24}
    bert |= {"max_position_embeddings": 32}
    checkpoints.write(Path("models/all-MiniLM-L6-v2"), bert, checkpoints.draw(bert))
    llama = {**LLAMA, "tie_word_embeddings": True, "max_position_embeddings": 32}
    checkpoints.write(Path("glassllm/weights"), llama, {})
    np.savez("glassllm/weights/en.npz", **checkpoints.draw(llama))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_says_can_be_done(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    stand_ins()
    reader = Reader()
    doing = {
        "": reader.shell,
        "text": reader.text,
        "toml": reader.toml,
        "python": reader.python,
        "yaml": reader.yaml,
    }
    for language, text in re.findall(
        r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    ):
        assert language in doing, f"nobody runs {language!r}"
        doing[language](text)


def test_a_page_that_shows_other_numbers_is_found_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    reader = Reader()
    reader.shell("xlsxattn build causal\nxlsxattn show output/causal.xlsx causal_chase_Attention")
    reader.text("cat      0.025   0.975    0.000   0.000   0.000\n...\nmouse    0.020\n")
    with pytest.raises(AssertionError, match=r"is not in"):
        reader.text("cat      0.025   0.976    0.000   0.000   0.000\n")
    with pytest.raises(AssertionError, match="nobody runs"):
        reader.shell("make me a sandwich")
    with pytest.raises(AssertionError, match="there is no range"):
        reader.shell("xlsxattn show output/causal.xlsx nonsense")


def test_every_page_is_in_the_site_and_every_link_leads_somewhere():
    listed = re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.MULTILINE)
    here = {str(p.relative_to(ROOT / "docs")) for p in (ROOT / "docs").rglob("*.md")}
    assert set(listed) == here
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = re.sub(r"`[^`]*`", "", page.read_text("utf-8"))
        for link in re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'(?:href|src)="([^"]+)"', text):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_every_picture_of_the_documents_is_used():
    text = "".join(page.read_text("utf-8") for page in PAGES)
    for picture in (ROOT / "docs/pictures").iterdir():
        assert f"pictures/{picture.name}" in text, picture.name
