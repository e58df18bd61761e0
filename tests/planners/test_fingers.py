import numpy as np
import pytest

from valuefield.planners.fingers import CLOSED, Fingers, Patience, holds


def reading(width: float, left: float = 0.0, right: float = 0.0) -> dict[str, np.ndarray]:
    return {"gripper": np.array([width]), "touch": np.array([0.0, left, 0.0, 0.0, -right, 0.0])}


@pytest.mark.parametrize(
    ("obs", "expected"),
    [
        (reading(0.04, 10, 10), True),
        (reading(0.04, 10, 0), False),  # leaning on something with one pad
        (reading(0.0, 10, 10), False),  # the fingers press on each other
        (reading(0.08), False),
    ],
)
def test_a_grasp_is_something_between_two_pressing_pads(obs: dict[str, np.ndarray], expected: bool) -> None:
    assert holds(obs) is expected


def test_fingers_are_waited_for_until_they_rest() -> None:
    fingers = Fingers()
    assert fingers.settled(reading(0.08))  # nothing was ordered
    fingers.set(0.0)
    assert fingers.width == CLOSED
    closing = [fingers.settled(reading(width)) for width in (0.07, 0.06, 0.05, 0.045, 0.041, 0.04)]
    assert not any(closing)
    assert fingers.settled(reading(0.04))


def test_fingers_that_never_rest_are_not_waited_for_for_ever() -> None:
    fingers = Fingers()
    fingers.set(0.0)
    done = [fingers.settled(reading(0.04 + 0.01 * (tick % 2))) for tick in range(60)]
    assert done.index(True) == 39


def test_patience_counts_without_a_break() -> None:
    patience = Patience(2)
    assert [patience.over(x) for x in (True, True, False, True, True, True)] == [False] * 5 + [True]
