"""Imports run robots <- envs <- planners <- agents <- cli, never back, in whatever form they are written."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ORDER = ("robots", "envs", "planners", "agents", "cli")
# A module that is named by a string, as in `import_module("..envs.expert", __package__)` or in a dict of names.
NAMED = re.compile(r"(?:valuefield\.|\.+)(?P<module>(?:robots|envs|planners|agents|cli)(?:\.\w+)*)(?::\w+)?")


def imports(source: str, path: Path) -> Iterator[str]:
    """Dotted names of all modules of ours that `source` imports, without the namespace."""
    package = ("valuefield", *path.parent.parts)
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import():
                found = [alias.name for alias in node.names]
            case ast.ImportFrom():
                base = package[: len(package) - node.level + 1] if node.level else ()
                origin = ".".join((*base, *filter(None, [node.module])))
                found = [f"{origin}.{alias.name}" for alias in node.names]
            case ast.Constant(value=str(text)) if named := NAMED.fullmatch(text):
                found = [f"valuefield.{named['module']}"]
            case _:
                continue
        yield from (name.removeprefix("valuefield.") for name in found if name.startswith("valuefield."))


def backward(source: str, path: Path) -> list[str]:
    """The imports of `source` that point at a package below its own."""
    own = ORDER.index(path.parts[0])
    return [name for name in imports(source, path) if ORDER.index(name.split(".")[0]) > own]


def test_no_import_points_backward(root: Path, sources: list[Path]):
    wrong = {str(path): names for path in sources if (names := backward((root / path).read_text(), path))}
    assert wrong == {}


@pytest.mark.parametrize(
    "form",
    [
        "import valuefield.agents.pvp",
        "import numpy, valuefield.agents as a",
        "from valuefield import agents",
        "from valuefield.agents.pvp import PVP",
        "from .. import agents",
        "from ..agents import pvp",
        "from ..agents.pvp import PVP as P",
        "def f():\n    from ..agents import pvp",
        "if TYPE_CHECKING:\n    from ..agents.pvp import PVP",
        "import importlib\nimportlib.import_module('valuefield.agents.pvp')",
        "import_module('..agents.pvp', __package__)",
        "import_module('.agents', 'valuefield')",
        "__import__('valuefield.agents')",
        "LAZY = {'pvp': 'valuefield.agents.pvp:PVP'}",
    ],
)
def test_every_form_of_a_backward_import_is_seen(form: str):
    assert backward(form, Path("planners/path.py"))
    assert not backward(form, Path("cli/plan.py"))


def test_the_climb_is_counted_from_the_package():
    assert list(imports("from ...robots import state", Path("envs/perception/scene.py"))) == ["robots.state"]
    assert list(imports("from .scene import Scene", Path("envs/perception/__init__.py"))) == [
        "envs.perception.scene.Scene"
    ]


def test_siblings_are_imported_relatively(root: Path, sources: list[Path]):
    # From the repository's root a bare `import agents` would find the source folder and load everything twice.
    absolute = re.compile(rf"^\s*(?:from|import) (?:valuefield|{'|'.join(ORDER)})\b", re.MULTILINE)
    assert [str(path) for path in sources if absolute.search((root / path).read_text())] == []


def test_every_module_imports_and_keeps_its_promises(sources: list[Path]):
    for path in sources:
        parts = path.parent.parts if path.stem == "__init__" else path.with_suffix("").parts
        module = importlib.import_module(".".join(("valuefield", *parts)))
        missing = [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)]
        assert missing == [], path
