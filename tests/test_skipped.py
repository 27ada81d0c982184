"""The option --skipped runs everything that the last run skipped."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from conftest import ROOT, SKIPPED


def test_each_module_that_needs_a_missing_library_is_run_later(tmp_path):
    """Also if the workers of pytest-xdist skip several modules for the same reason."""
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('torch')", "utf-8")
    modules = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").glob("test_torch_*.py")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    environment.pop("XLSXATTN_REQUIRE_LIBRARIES", None)
    cache = tmp_path / "cache"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-o", f"cache_dir={cache}", *modules]
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert len(modules) > 1
    assert set(modules) <= set(json.loads((cache / "v" / SKIPPED).read_text("utf-8")))
