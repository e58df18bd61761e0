"""Joint-space paths: free, within limits, as fast as allowed, or none."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valuefield.robots import panda
from valuefield.robots.errors import BadInput
from valuefield.robots.motion import STEP, plan_joint_path, time_parameterise
from valuefield.robots.state import Floats

LIMITS, HOME, DT = panda.LIMITS, panda.HOME_Q, 0.05


def wall(q: Floats) -> bool:
    """Free but for a slab across joint 1, which ends where joint 2 is above 0.5."""
    return not (abs(q[0]) < 0.2 and q[1] < 0.5)


def dense(path: Floats) -> Floats:
    return np.concatenate([np.linspace(a, b, 40) for a, b in pairwise(path)])


def shifted(first: float, second: float = 0.0) -> Floats:
    return HOME + np.array([first, second, 0, 0, 0, 0, 0])


def test_straight_line_where_it_is_free() -> None:
    path = plan_joint_path(shifted(-1), shifted(1), lambda q: True, LIMITS, np.random.default_rng(0))
    np.testing.assert_array_equal(path, [shifted(-1), shifted(1)])


@pytest.mark.parametrize("seed", range(4))
def test_way_around_a_wall(seed: int) -> None:
    path = plan_joint_path(shifted(-1), shifted(1), wall, LIMITS, np.random.default_rng(seed))
    assert path is not None
    np.testing.assert_array_equal(path[[0, -1]], [shifted(-1), shifted(1)])
    assert all(wall(q) for q in dense(path) if abs(q[0]) < 0.2 - STEP and q[1] < 0.5 - STEP)
    assert ((path >= LIMITS.q_min - 1e-9) & (path <= LIMITS.q_max + 1e-9)).all()


def test_short_cuts_leave_few_corners_and_a_short_way() -> None:
    """The wall's end is 1 rad of joint 1 away from start and goal, so 2 rad is the least; the trees find about 8."""
    paths = [plan_joint_path(shifted(-1), shifted(1), wall, LIMITS, np.random.default_rng(seed)) for seed in range(5)]
    lengths = [np.abs(np.diff(path, axis=0)).max(axis=1).sum() for path in paths if path is not None]
    assert np.median(lengths) < 3.0
    assert max(len(path) for path in paths if path is not None) <= 6


@pytest.mark.parametrize("free", [lambda q: bool(np.abs(q[0]) > 0.2), lambda q: bool(q[0] < 0.9)])
def test_no_way_is_none(free: object) -> None:
    """A wall without an end, and an end that is not free."""
    path = plan_joint_path(shifted(-1), shifted(1), free, LIMITS, np.random.default_rng(0), tries=30)  # type: ignore[arg-type]
    assert path is None


corner = st.lists(st.floats(0.0, 1.0), min_size=7, max_size=7).map(
    lambda s: LIMITS.q_min + np.array(s) * (LIMITS.q_max - LIMITS.q_min)
)
paths = st.lists(corner, min_size=2, max_size=6).map(np.array)


@settings(max_examples=60, deadline=None)
@given(paths, st.floats(0.1, 1.0))
def test_times_respect_all_limits_and_end_at_rest(path: Floats, speed: float) -> None:
    rows = time_parameterise(path, LIMITS, DT, speed)
    rest = np.zeros((1, 7))
    dq = np.vstack([rest, np.diff(np.vstack([path[:1], rows]), axis=0) / DT, rest])
    assert (np.abs(dq) <= speed * LIMITS.dq_max + 1e-9).all()
    assert (np.abs(np.diff(dq, axis=0)) <= LIMITS.ddq_max * DT + 1e-9).all()
    np.testing.assert_allclose(rows[-1], path[-1], atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(paths)
def test_rows_lie_on_the_path(path: Floats) -> None:
    rows = time_parameterise(path, LIMITS, DT)
    way = np.diff(path, axis=0)
    for row in rows:
        share = np.clip(np.sum((row - path[:-1]) * way, axis=1) / np.maximum(np.sum(way**2, axis=1), 1e-12), 0, 1)
        assert np.linalg.norm(path[:-1] + share[:, None] * way - row, axis=1).min() < 1e-6


def test_long_line_takes_its_time_by_hand() -> None:
    """2 rad of joint 1 at 0.8 x 1.9575 rad/s, with 0.7 x 7.5 rad/s^2 up and down: 2 / 1.566 + 1.566 / 5.25 s."""
    rows = time_parameterise(np.stack([shifted(-1), shifted(1)]), LIMITS, DT, 0.8)
    assert len(rows) * DT == pytest.approx(2 / 1.566 + 1.566 / 5.25, abs=DT)


def test_path_that_goes_nowhere_is_one_row() -> None:
    np.testing.assert_array_equal(time_parameterise(np.stack([HOME, HOME]), LIMITS, DT), [HOME])


@pytest.mark.parametrize(
    ("path", "speed"), [(np.zeros((0, 7)), 0.8), (np.zeros(7), 0.8), (np.zeros((2, 7)), 0.0), (np.zeros((2, 7)), 1.5)]
)
def test_bad_input_is_refused(path: Floats, speed: float) -> None:
    with pytest.raises(BadInput):
        time_parameterise(path, LIMITS, DT, speed)
