"""``xlsxattn --help`` compared with ``python -c "import click"``, as whole processes."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from dev.benchmarks.pairs import compare, process, show

PAIRS = 40


def main() -> None:
    """Measure and print."""
    ours = shutil.which("xlsxattn", path=str(Path(sys.executable).parent))
    if ours is None:
        sys.exit(f"there is no xlsxattn beside {sys.executable}: install it with pip install .")
    click = ('`python -c "import click"`', process("-c", "import click"))
    show([compare(("`xlsxattn --help`", process(ours, "--help")), click, PAIRS)])


if __name__ == "__main__":
    main()
