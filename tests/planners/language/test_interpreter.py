import operator
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.planners.language.budget import Budget
from valuefield.planners.language.interpreter import Program
from valuefield.planners.language.values import Vector
from valuefield.robots.errors import BadInput, InstructionRefused, ProgramError


def run(source, names=None, seconds=1.0):
    return Program(source).run(names or {}, Budget(seconds))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("ret_val = 2 + 3 * 4 ** 2 // 5 % 7 - 1", 2 + 3 * 4**2 // 5 % 7 - 1),
        ("ret_val = -7 / 2", -3.5),
        ("ret_val = 1 < 2 <= 2 != 3", True),
        ("ret_val = 'a' if 1 > 2 else 'b'", "b"),
        ("ret_val = [x * y for x in range(3) for y in [10, 20] if x != 1]", [0, 0, 20, 40]),
        (
            "x = 0\nfor i in range(10):\n  if i == 3: continue\n  if i == 6: break\n  x += i\nret_val = x",
            0 + 1 + 2 + 4 + 5,
        ),
        ("x = 0\nwhile x < 5:\n  x += 1\nelse:\n  x = 100\nret_val = x", 100),
        ("def f(n):\n  return 1 if n < 2 else n * f(n - 1)\nret_val = f(10)", 3628800),
        ("k = 3\ndef f(a, b):\n  return a + b * k\nret_val = f(1, 2)", 7),
        ("ret_val = max([1, 5, 3], key=lambda v: -v)", 1),
        ("ret_val = sorted([3, 1, 2])[0:2]", [1, 2]),
        ("a, b = (1, 2)\nb, a = a, b\nret_val = [a, b]", [2, 1]),
        ("ret_val = not (True and None or 0)", True),
        ("ret_val = 'red' in ['green', 'red']", True),
        ("ret_val = len('four') + round(2.6) + int(1.9)", 8),
        ("ret_val = [i + v for i, v in enumerate([5, 6])]", [5, 7]),
        ("x = 1", None),
    ],
)
def test_computes_what_python_computes(source, expected):
    assert run(source) == expected


def test_vectors_compute_item_by_item():
    assert run("ret_val = 2 * vector(1, 2, 3) - [1, 1, 1] / vector(2, 2, 2)").items == (1.5, 3.5, 5.5)
    assert run("ret_val = normalize([3, 0, 4])").items == pytest.approx((0.6, 0, 0.8))
    assert run("ret_val = dot([1, 2, 3], [4, 5, 6]) + norm([3, 4, 0])") == 37
    assert run("ret_val = cross([1, 0, 0], [0, 1, 0])").items == (0, 0, 1)
    assert run("x, y, z = -vector(1, 2, 3)\nret_val = z") == -3


OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod}


def joined(parts):
    """("(a + b)", a + b); a division by zero gives None, and None stays None."""
    (left, a), sign, (right, b) = parts
    undefined = a is None or b is None or (sign in ("//", "%") and b == 0)
    return f"({left} {sign} {right})", None if undefined else OPERATORS[sign](a, b)


NUMBERS = st.integers(-50, 50).map(lambda number: (str(number), number))
EXPRESSIONS = st.recursive(
    NUMBERS, lambda inner: st.tuples(inner, st.sampled_from(list(OPERATORS)), inner).map(joined), max_leaves=6
)


@settings(max_examples=60, deadline=None)
@given(EXPRESSIONS)
def test_agrees_with_python_on_arithmetic(expression):
    source, expected = expression
    if expected is None:
        with pytest.raises(ProgramError, match="division by zero"):
            run(f"ret_val = {source}")
    else:
        assert run(f"ret_val = {source}") == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ny = x + undefined", "line 2: the name 'undefined' is not known"),
        ("ret_val = lenn([1])", "nearest: 'len'"),
        ("x = [1]\nret_val = x[5]", "line 2: index 5 of 1 items"),
        ("def f():\n  return 1 / 0\nret_val = f()", "line 2: division by zero"),
        ("ret_val = None.position", "not visible"),
        ("ret_val = (1).real", "has no attribute 'real'"),
        ("len()", "missing a required argument"),
        ("return 3", "outside of a function"),
        ("break", "outside of a loop"),
        ("x = = 1", "line 1: invalid syntax"),
        ("ret_val = 'a' + 1", "cannot compute 'a' [+] 1"),
        ("a, b = [1, 2, 3]", "3 values for 2 names"),
        ("ret_val = 0.1 < 'a'", "cannot order"),
    ],
)
def test_says_what_is_wrong_and_where(source, message):
    with pytest.raises(ProgramError, match=message):
        run(source)


def test_errors_of_a_called_function_get_the_line_and_refusals_pass():
    def outside():
        raise BadInput("outside the workspace")

    def refuse():
        raise InstructionRefused("no")

    with pytest.raises(ProgramError, match="line 2: outside the workspace"):
        run("x = 1\noutside()", {"outside": outside})
    with pytest.raises(InstructionRefused):
        run("refuse()", {"refuse": refuse})


def test_a_name_that_is_given_is_seen_and_not_changed():
    names = {"value": Vector((1, 2, 3))}
    assert run("value = value + 1\nret_val = value[0]", names) == 2
    assert names["value"].items == (1, 2, 3)


def test_the_deadline_ends_a_run_and_a_pause_does_not_count():
    budget = Budget(0.05)
    with budget.paused():
        time.sleep(0.1)
    budget.check_time()
    began = time.monotonic()
    with pytest.raises(ProgramError, match=r"more than 0\.05 s|operations"):
        Program("while True: pass").run({}, budget)
    assert time.monotonic() - began < 0.5


def test_what_a_failed_call_leaves_does_not_count_against_the_next():
    budget = Budget()
    for _ in range(40):
        with pytest.raises(ProgramError):
            Program("def f():\n  return 1 / 0\nf()").run({}, budget)
    assert Program("def f():\n  return 5\nret_val = f()").run({}, budget) == 5
