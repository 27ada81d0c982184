"""``python -m dev.gallery`` regenerates everything; ``--check`` only lists what is out of date."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from dev.gallery import pictures, reference, workbooks

ROOT = Path(__file__).parents[2]


def main(words: list[str]) -> int:
    """Generate or check everything; return 1 if anything is out of date."""
    if words not in ([], ["--check"]):
        sys.stderr.write("usage: python -m dev.gallery [--check]\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="xlsxattn-") as folder:
        fresh = workbooks.build_all(Path(folder))
        shown = fresh | workbooks.build_others(Path(folder))
        if words:
            stale = [
                *workbooks.stale(ROOT, fresh),
                *pictures.stale(ROOT, shown),
                *reference.stale(ROOT, fresh),
            ]
        else:
            workbooks.put(ROOT, fresh)
            pictures.draw(ROOT, shown)
            reference.write(ROOT, fresh)
            stale = []
    for message in stale:
        sys.stdout.write(f"{message}\n")
    if stale:
        sys.stdout.write("to update, run: python -m dev.gallery\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
