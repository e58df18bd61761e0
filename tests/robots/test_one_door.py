"""`Robot.send_action` is the only way to move an arm."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("robots", "envs", "planners", "agents", "cli")


def callers_of(method: str) -> set[str]:
    """`file:Class.function` of every place that touches a driver's attribute of that name, called or not."""
    found: set[str] = set()
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        _walk(ast.parse(path.read_text()), (), method, str(path.relative_to(ROOT)), found)
    return found


def _walk(node: ast.AST, inside: tuple[ast.AST, ...], method: str, path: str, found: set[str]) -> None:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        inside = (*inside, node)
    by_name = isinstance(node, ast.Constant) and node.value == method  # getattr(driver, "_write")
    if by_name or (isinstance(node, ast.Attribute) and node.attr == method and not _its_own(node, inside)):
        found.add(f"{path}:{'.'.join(scope.name for scope in inside)}")
    for child in ast.iter_child_nodes(node):
        _walk(child, inside, method, path, found)


def _its_own(node: ast.Attribute, inside: tuple[ast.AST, ...]) -> bool:
    """Whether this is `self._write` in a class that is no driver, which then means a method of that class."""
    of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
    bases = [ast.unparse(base) for scope in inside if isinstance(scope, ast.ClassDef) for base in scope.bases]
    return of_self and not any(base.endswith(("Driver", "PandaSim", "PandaBullet")) for base in bases)


def test_only_send_action_writes_to_a_driver() -> None:
    assert callers_of("_write") == {"robots/robot.py:Robot.send_action"}


def test_a_second_door_would_be_found() -> None:
    source = """
class Sneak(Driver):
    def go(self): self._write(1)
class Journal:
    def go(self): self._write(1)
class Thief:
    def go(self): self.robot.driver._write(1)
def pick(robot): getattr(robot.driver, "_write")(1)
"""
    found: set[str] = set()
    _walk(ast.parse(source), (), "_write", "x", found)
    assert found == {"x:Sneak.go", "x:Thief.go", "x:pick"}
