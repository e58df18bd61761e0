"""Runs language programs: a walk over a checked syntax tree, never `exec` or `eval`.

A program can touch nothing but the names it is given. It has no imports, no methods and no attributes but the ones that
a value's class lists in `program_attributes`; what it can cost is bounded by a `Budget`.
"""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...robots.errors import InstructionRefused, ModelUnavailable, ProgramError, ValuefieldError, nearest
from .budget import MAX_LENGTH, Budget
from .builtin_functions import Builtins
from .syntax import parse
from .values import Vector, binary, describe, equal, less, negative

_SYMBOLS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_HOST = (types.FunctionType, types.MethodType)


class Program:
    """A checked program. Raises ProgramError where `source` is not allowed (see `syntax.parse`)."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._tree = parse(source)

    def run(self, names: Mapping[str, Any], budget: Budget) -> Any:
        """Run with `names` in reach and return what the program left in `ret_val`, or None.

        Raises ProgramError with the line of the fault. InstructionRefused and ModelUnavailable pass through.
        """
        run = _Run(names, budget)
        try:
            run.block(self._tree.body, run.top)
        except _Return:
            raise ProgramError("'return' outside of a function") from None
        except (_Break, _Continue):
            raise ProgramError("'break' or 'continue' outside of a loop") from None
        except RecursionError:
            raise ProgramError("the program is nested too deep") from None
        return run.top.variables.get("ret_val")


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class _Scope:
    """Variables of the program, of a function or of a comprehension, inside those around it."""

    def __init__(self, parent: _Scope | None, variables: dict[str, Any] | None = None) -> None:
        self.parent = parent
        self.variables: dict[str, Any] = {} if variables is None else variables

    def around(self) -> Iterator[_Scope]:
        scope: _Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent


class _Function:
    """A `def` or a `lambda` of the program."""

    program_name = "function"

    def __init__(self, parameters: Sequence[str], body: list[ast.stmt] | ast.expr, scope: _Scope) -> None:
        self.parameters = parameters
        self.body = body
        self.scope = scope


class _Run:
    def __init__(self, names: Mapping[str, Any], budget: Budget) -> None:
        self.budget = budget
        self.builtins = Builtins(budget, lambda function, item: self._apply(function, [item], {}))
        self.top = _Scope(_Scope(None, {**self.builtins.names(), **names}))

    def block(self, statements: Sequence[ast.stmt], scope: _Scope) -> None:
        for statement in statements:
            self.budget.spend()
            try:
                getattr(self, f"_do_{type(statement).__name__}")(statement, scope)
            except (InstructionRefused, ModelUnavailable):
                raise
            except ValuefieldError as error:
                # The innermost statement names its line; those around it would only repeat it.
                if isinstance(error, ProgramError) and str(error).startswith("line "):
                    raise
                raise ProgramError(f"line {statement.lineno}: {error}") from error

    def value(self, node: ast.expr, scope: _Scope) -> Any:
        self.budget.spend()
        return getattr(self, f"_get_{type(node).__name__}")(node, scope)

    # statements

    def _do_Expr(self, node: ast.Expr, scope: _Scope) -> None:
        self.value(node.value, scope)

    def _do_Assign(self, node: ast.Assign, scope: _Scope) -> None:
        value = self.value(node.value, scope)
        for target in node.targets:
            self._assign(target, value, scope)

    def _do_AugAssign(self, node: ast.AugAssign, scope: _Scope) -> None:
        assert isinstance(node.target, ast.Name)  # the syntax check lets nothing else through
        value = self.value(node.value, scope)
        scope.variables[node.target.id] = self._binary(node.op, self._lookup(node.target.id, scope), value)

    def _do_If(self, node: ast.If, scope: _Scope) -> None:
        self.block(node.body if self._truth(node.test, scope) else node.orelse, scope)

    def _do_While(self, node: ast.While, scope: _Scope) -> None:
        while self._truth(node.test, scope):
            try:
                self.block(node.body, scope)
            except _Break:
                return
            except _Continue:
                continue
        self.block(node.orelse, scope)

    def _do_For(self, node: ast.For, scope: _Scope) -> None:
        for item in self.builtins.items(self.value(node.iter, scope)):
            self._assign(node.target, item, scope)
            try:
                self.block(node.body, scope)
            except _Break:
                return
            except _Continue:
                continue
        self.block(node.orelse, scope)

    def _do_Break(self, node: ast.Break, scope: _Scope) -> None:
        raise _Break

    def _do_Continue(self, node: ast.Continue, scope: _Scope) -> None:
        raise _Continue

    def _do_Pass(self, node: ast.Pass, scope: _Scope) -> None:
        """Nothing to do."""

    def _do_FunctionDef(self, node: ast.FunctionDef, scope: _Scope) -> None:
        scope.variables[node.name] = _Function([each.arg for each in node.args.args], node.body, scope)

    def _do_Return(self, node: ast.Return, scope: _Scope) -> None:
        raise _Return(None if node.value is None else self.value(node.value, scope))

    def _assign(self, target: ast.expr, value: Any, scope: _Scope) -> None:
        if isinstance(target, ast.Name):
            scope.variables[target.id] = value
        elif isinstance(target, ast.Subscript):
            place = self.value(target.value, scope)
            if not hasattr(type(place), "program_write"):
                raise ProgramError(f"only places of a map can be assigned to, not those of {describe(place)}")
            place.program_write(self.value(target.slice, scope), value)
        elif isinstance(target, ast.Tuple):
            items = self.builtins.items(value, "unpacking")
            if len(items) != len(target.elts):
                raise ProgramError(f"{len(items)} values for {len(target.elts)} names")
            for each, item in zip(target.elts, items, strict=True):
                self._assign(each, item, scope)

    # expressions

    def _get_Constant(self, node: ast.Constant, scope: _Scope) -> Any:
        if isinstance(node.value, str):
            self.budget.length(len(node.value))
        return node.value

    def _get_Name(self, node: ast.Name, scope: _Scope) -> Any:
        return self._lookup(node.id, scope)

    def _get_List(self, node: ast.List, scope: _Scope) -> list[Any]:
        return [self.value(item, scope) for item in node.elts]

    def _get_Tuple(self, node: ast.Tuple, scope: _Scope) -> tuple[Any, ...]:
        return tuple(self.value(item, scope) for item in node.elts)

    def _get_IfExp(self, node: ast.IfExp, scope: _Scope) -> Any:
        return self.value(node.body if self._truth(node.test, scope) else node.orelse, scope)

    def _get_BinOp(self, node: ast.BinOp, scope: _Scope) -> Any:
        return self._binary(node.op, self.value(node.left, scope), self.value(node.right, scope))

    def _get_UnaryOp(self, node: ast.UnaryOp, scope: _Scope) -> Any:
        if isinstance(node.op, ast.Not):
            return not self._truth(node.operand, scope)
        value = self.value(node.operand, scope)
        return negative(value) if isinstance(node.op, ast.USub) else negative(negative(value))

    def _get_BoolOp(self, node: ast.BoolOp, scope: _Scope) -> bool:
        wanted = isinstance(node.op, ast.Or)
        return wanted if any(self._truth(value, scope) is wanted for value in node.values) else not wanted

    def _get_Compare(self, node: ast.Compare, scope: _Scope) -> bool:
        left = self.value(node.left, scope)
        for sign, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node, scope)
            if not self._holds(sign, left, right):
                return False
            left = right
        return True

    def _get_Lambda(self, node: ast.Lambda, scope: _Scope) -> _Function:
        return _Function([each.arg for each in node.args.args], node.body, scope)

    def _get_ListComp(self, node: ast.ListComp, scope: _Scope) -> list[Any]:
        found: list[Any] = []
        self._comprehend(node.generators, node.elt, _Scope(scope), found)
        return found

    def _get_Attribute(self, node: ast.Attribute, scope: _Scope) -> Any:
        value = self.value(node.value, scope)
        if value is None:
            raise ProgramError(f"None has no {node.attr!r}: the object is not visible or does not exist")
        allowed = getattr(type(value), "program_attributes", ())
        if node.attr not in allowed:
            known = f"; allowed: {', '.join(sorted(allowed))}" if allowed else ""
            raise ProgramError(f"{describe(value)} has no attribute {node.attr!r}{nearest(node.attr, allowed)}{known}")
        return getattr(value, node.attr)

    def _get_Subscript(self, node: ast.Subscript, scope: _Scope) -> Any:
        value, index = self.value(node.value, scope), self.value(node.slice, scope)
        if isinstance(value, list | tuple | Vector) and type(index) is int:
            if not -len(value) <= index < len(value):
                raise ProgramError(f"index {index} of {len(value)} items")
            return value[index]
        if isinstance(value, list | tuple) and isinstance(index, slice) and float not in map(type, _bounds(index)):
            self.budget.length(len(value))
            return value[index]
        raise ProgramError(f"cannot take item {describe(index)} of {describe(value)}")

    def _get_Slice(self, node: ast.Slice, scope: _Scope) -> slice:
        parts = [None if part is None else self.value(part, scope) for part in (node.lower, node.upper, node.step)]
        if not all(part is None or type(part) in (int, float) for part in parts) or parts[2] not in (None, 1):
            raise ProgramError("a slice is a:b with numbers, without a step")
        return slice(parts[0], parts[1])

    def _get_Call(self, node: ast.Call, scope: _Scope) -> Any:
        function = self.value(node.func, scope)
        arguments = [self.value(argument, scope) for argument in node.args]
        named = {str(each.arg): self.value(each.value, scope) for each in node.keywords}
        return self._apply(function, arguments, named)

    # what they share

    def _lookup(self, name: str, scope: _Scope) -> Any:
        for around in scope.around():
            if name in around.variables:
                return around.variables[name]
        known = [each for around in scope.around() for each in around.variables]
        raise ProgramError(f"the name {name!r} is not known here{nearest(name, known)}")

    def _truth(self, node: ast.expr, scope: _Scope) -> bool:
        value = self.value(node, scope)
        if value is None or isinstance(value, bool | int | float | str | list | tuple):
            return bool(value)
        if isinstance(value, Vector):
            raise ProgramError("a vector is neither true nor false")
        return True

    def _binary(self, operator: ast.operator, left: Any, right: Any) -> Any:
        return binary(_SYMBOLS[type(operator)], left, right, self.budget)

    def _holds(self, sign: ast.cmpop, left: Any, right: Any) -> bool:
        if isinstance(sign, ast.In | ast.NotIn):
            found = any(equal(left, item) for item in self.builtins.items(right, "'in'"))
            return found is isinstance(sign, ast.In)
        if isinstance(sign, ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
            return equal(left, right) is isinstance(sign, ast.Eq | ast.Is)
        if isinstance(sign, ast.Lt | ast.GtE):
            return less(left, right) is isinstance(sign, ast.Lt)
        return less(right, left) is isinstance(sign, ast.Gt)

    def _comprehend(self, loops: list[ast.comprehension], item: ast.expr, scope: _Scope, found: list[Any]) -> None:
        if not loops:
            if len(found) >= MAX_LENGTH:
                self.budget.length(len(found) + 1)
            found.append(self.value(item, scope))
            return
        for value in self.builtins.items(self.value(loops[0].iter, scope)):
            self._assign(loops[0].target, value, scope)
            if all(self._truth(test, scope) for test in loops[0].ifs):
                self._comprehend(loops[1:], item, scope, found)

    def _apply(self, function: Any, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        self.budget.spend()
        with self.budget.call():
            if isinstance(function, _Function):
                return self._apply_own(function, arguments, named)
            if isinstance(function, _HOST):
                return _apply_host(function, arguments, named)
        raise ProgramError(f"{describe(function)} cannot be called")

    def _apply_own(self, function: _Function, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        if named or len(arguments) != len(function.parameters):
            raise ProgramError(f"the function takes {len(function.parameters)} arguments by position")
        scope = _Scope(function.scope, dict(zip(function.parameters, arguments, strict=True)))
        if isinstance(function.body, ast.expr):
            return self.value(function.body, scope)
        try:
            self.block(function.body, scope)
        except _Return as result:
            return result.value
        return None


def _apply_host(function: Callable[..., Any], arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
    try:
        inspect.signature(function).bind(*arguments, **named)
    except TypeError as error:
        raise ProgramError(f"{function.__name__.lstrip('_')}: {error}") from None
    return function(*arguments, **named)


def _bounds(part: slice) -> tuple[Any, Any]:
    return part.start, part.stop
