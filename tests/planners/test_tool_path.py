import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from valuefield.planners.tool_path import Pace, timed_poses

DOWN = np.array([0.0, 1.0, 0.0, 0.0])
QUARTER = (Rotation.from_quat(DOWN, scalar_first=True) * Rotation.from_euler("z", 90, degrees=True)).as_quat(
    scalar_first=True
)


def speeds(rows: np.ndarray, pace: Pace) -> np.ndarray:
    return np.linalg.norm(np.diff(rows[:, :3], axis=0), axis=1) / pace.dt


def test_ends_on_the_last_point_and_rotation_and_keeps_its_speed() -> None:
    points, pace = np.array([[0.4, 0, 0.3], [0.5, 0, 0.3], [0.6, 0.2, 0.4]]), Pace()
    rows = timed_poses(points, (DOWN, QUARTER), pace)
    assert np.array_equal(rows[-1, :3], points[-1])
    assert abs(rows[-1, 3:] @ QUARTER) == pytest.approx(1.0)
    assert speeds(rows, pace).max() <= pace.speed + 1e-9
    assert np.diff(speeds(rows, pace)).max() <= pace.acceleration * pace.dt + 1e-3


def test_half_a_metre_takes_the_time_of_a_trapezoid() -> None:
    pace = Pace(speed=0.25, acceleration=0.8)
    rows = timed_poses(np.array([[0.2, 0, 0.3], [0.7, 0, 0.3]]), (DOWN, DOWN), pace)
    by_hand = 0.5 / 0.25 + 0.25 / 0.8  # cruise time of the whole way plus one ramp
    assert len(rows) * pace.dt == pytest.approx(by_hand, abs=0.1)


def test_half_the_factor_takes_about_twice_the_time() -> None:
    points = np.array([[0.2, 0, 0.3], [0.7, 0, 0.3]])
    full = len(timed_poses(points, (DOWN, DOWN), Pace()))
    half = len(timed_poses(points, (DOWN, DOWN), Pace(), np.array([0.5, 0.5])))
    assert 1.7 < half / full < 2.1


def test_turning_in_place_takes_the_time_of_the_turn() -> None:
    rows = timed_poses(np.array([[0.4, 0.0, 0.3]]), (DOWN, QUARTER), Pace(turning=1.0))
    assert len(rows) * 0.05 == pytest.approx(np.pi / 2, abs=0.06)
    assert np.allclose(rows[:, :3], [0.4, 0.0, 0.3])


def test_standing_still_is_one_row() -> None:
    assert timed_poses(np.array([[0.4, 0.0, 0.3]]), (DOWN, DOWN), Pace()).shape == (1, 7)
