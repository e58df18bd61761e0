"""`mypy --strict` sees every file of ours, and reports an error that is planted beside them."""

import re
import subprocess
import sys
from pathlib import Path

CANARY = """
from ..robots.state import JointTarget

JointTarget(q=None, width="wide")
"""


def test_strict_typing_finds_the_canary_and_nothing_else(root: Path, sources: list[Path], tmp_path: Path):
    namespace = tmp_path / "build" / "typing" / "valuefield"  # the setting `mypy_path` is relative to where mypy runs
    (namespace / "canary").mkdir(parents=True)
    (namespace / "canary" / "__init__.py").write_text(CANARY)
    for package in {path.parts[0] for path in sources}:
        (namespace / package).symlink_to(root / package)
    command = [sys.executable, "-m", "mypy", "--config-file", str(root / "pyproject.toml"), "--no-pretty"]
    command += ["--cache-dir", str(root / ".mypy_cache"), "--no-color-output"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout

    errors = [line for line in said.splitlines() if ": error:" in line]
    ours = [line for line in errors if "/canary/" not in line]
    assert not ours, "\n".join(ours)
    assert len(errors) == 2, said
    checked = re.search(r"checked (\d+) source files", said)
    assert checked, said
    folders = {Path("."), *(path.parent for path in sources)}  # mypy counts a folder without __init__.py as a source
    namespaces = [folder for folder in folders if not (root / folder / "__init__.py").exists()]
    assert int(checked[1]) == len(sources) + len(namespaces) + 1
