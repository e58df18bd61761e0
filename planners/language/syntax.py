"""Which Python a language program may be written in: a check of its syntax tree, before anything runs."""

from __future__ import annotations

import ast
from collections import deque

from ...robots.errors import ProgramError
from .values import MAX_INTEGER

MAX_SOURCE = 10_000
"""Characters."""
MAX_NESTING = 20
"""Brackets inside brackets, counted before the parser sees them."""
MAX_TREE_DEPTH = 40
MAX_NAME = 100
"""Characters of a name."""

_STATEMENTS = (ast.Expr, ast.Assign, ast.AugAssign, ast.If, ast.For, ast.While, ast.Break, ast.Continue, ast.Pass)
_FUNCTIONS = (ast.FunctionDef, ast.Lambda, ast.Return, ast.arguments, ast.arg, ast.Call, ast.keyword)
_EXPRESSIONS = (ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.List, ast.Tuple, ast.IfExp)
_OPERATIONS = (ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.ListComp, ast.comprehension)
_SIGNS = (
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.FloorDiv,
    ast.Mod,
    ast.Pow,
    ast.USub,
    ast.UAdd,
    ast.Not,
    ast.And,
    ast.Or,
)
_ORDERS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot, ast.In, ast.NotIn)
ALLOWED: tuple[type[ast.AST], ...] = (
    *(ast.Module, ast.Load, ast.Store, *_STATEMENTS, *_FUNCTIONS),
    *(*_EXPRESSIONS, *_OPERATIONS, *_SIGNS, *_ORDERS),
)
"""Every node a program may hold: no import, class, try, with, raise, del, global, yield, f-string, set or dict."""


def parse(source: str) -> ast.Module:
    """Parse and check `source`. Raises ProgramError that names the line and what is not allowed there."""
    if len(source) > MAX_SOURCE:
        raise ProgramError(f"a program of {len(source)} characters; at most {MAX_SOURCE} are allowed")
    _check_nesting(source)
    try:
        tree = ast.parse(source, filename="<program>")
    except SyntaxError as error:
        raise ProgramError(f"line {error.lineno}: {error.msg}") from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise ProgramError(f"the program cannot be parsed: {error}") from None
    _check(tree)
    return tree


def _check_nesting(source: str) -> None:
    """Keep the parser itself from deep recursion; brackets inside strings count too, which does no harm."""
    depth = 0
    for character in source:
        if character in "([{":
            depth += 1
            if depth > MAX_NESTING:
                raise ProgramError(f"brackets nested more than {MAX_NESTING} deep")
        elif character in ")]}":
            depth -= 1


def _check(tree: ast.Module) -> None:
    waiting: deque[tuple[ast.AST, int]] = deque([(tree, 0)])
    while waiting:
        node, depth = waiting.popleft()
        if depth > MAX_TREE_DEPTH:
            raise ProgramError(f"{_line(node)}an expression nested more than {MAX_TREE_DEPTH} deep")
        _check_node(node)
        waiting.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


def _check_node(node: ast.AST) -> None:
    if not isinstance(node, ALLOWED):
        raise ProgramError(f"{_line(node)}{_spelled(node)} is not allowed in a program")
    for name in _names(node):
        if name.startswith("_"):
            raise ProgramError(
                f"{_line(node)}the name {name[:MAX_NAME]!r} is not allowed: no name begins with an underscore"
            )
        if len(name) > MAX_NAME:
            raise ProgramError(f"{_line(node)}a name of {len(name)} characters; at most {MAX_NAME} are allowed")
    if isinstance(node, ast.Constant):
        _check_constant(node)
    elif isinstance(node, ast.Call):
        _check_call(node)
    elif isinstance(node, ast.FunctionDef | ast.Lambda):
        _check_function(node)
    elif isinstance(node, ast.Assign | ast.AugAssign | ast.For | ast.comprehension):
        _check_targets(node)


def _check_constant(node: ast.Constant) -> None:
    value = node.value
    if value is not None and not isinstance(value, bool | int | float | str):
        raise ProgramError(f"{_line(node)}a {type(value).__name__} is not allowed in a program")
    if isinstance(value, int | float) and not abs(value) < MAX_INTEGER:
        raise ProgramError(f"{_line(node)}a number of 2**53 or more")


def _check_call(node: ast.Call) -> None:
    if not isinstance(node.func, ast.Name):
        raise ProgramError(f"{_line(node)}only functions called by their name are allowed, no methods")
    if any(keyword.arg is None for keyword in node.keywords):
        raise ProgramError(f"{_line(node)}** is not allowed in a call")


def _check_function(node: ast.FunctionDef | ast.Lambda) -> None:
    spec = node.args
    if spec.vararg or spec.kwarg or spec.kwonlyargs or spec.defaults or spec.posonlyargs:
        raise ProgramError(f"{_line(node)}a function takes plain arguments only, without defaults, * or **")
    if isinstance(node, ast.FunctionDef) and node.decorator_list:
        raise ProgramError(f"{_line(node)}decorators are not allowed")


def _check_targets(node: ast.Assign | ast.AugAssign | ast.For | ast.comprehension) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    for target in targets:
        parts = target.elts if isinstance(target, ast.Tuple) else [target]
        for part in parts:
            if isinstance(part, ast.Name) or (isinstance(node, ast.Assign) and isinstance(part, ast.Subscript)):
                continue
            raise ProgramError(f"{_line(part)}only names and places of a map can be assigned to")


def _names(node: ast.AST) -> tuple[str, ...]:
    found = (getattr(node, field, None) for field in ("id", "attr", "arg", "name"))
    return tuple(name for name in found if isinstance(name, str))


def _spelled(node: ast.AST) -> str:
    """Name a node as its author would: `import`, `try`, `f-string`."""
    known = {"ImportFrom": "import", "JoinedStr": "f-string", "GeneratorExp": "generator", "ClassDef": "class"}
    kind = type(node).__name__
    return repr(known.get(kind, kind.lower()))


def _line(node: ast.AST) -> str:
    number = getattr(node, "lineno", None)
    return f"line {number}: " if number else ""
