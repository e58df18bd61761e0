"""Poses against hand-computed values, against SciPy, and as a group."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from valuefield.robots import geometry as g
from valuefield.robots.state import Floats

number = st.floats(-1.0, 1.0)
vector = st.tuples(number, number, number).map(np.array)
quat = (
    st.tuples(number, number, number, number)
    .map(np.array)
    .filter(lambda q: np.linalg.norm(q) > 0.1)
    .map(lambda q: q / np.linalg.norm(q))
)
pose = st.builds(g.pose_from, vector, quat)


NOTHING = g.pose_from((0, 0, 0), (1, 0, 0, 0))


def same_rotation(a: Floats, b: Floats) -> bool:
    return bool(np.isclose(abs(a @ b), 1.0, atol=1e-9))


def test_quarter_turn_about_z_by_hand() -> None:
    turn = g.pose_from((1.0, 2.0, 3.0), (1.0, 0.0, 0.0, 1.0))
    np.testing.assert_allclose(g.transform(turn, np.array([1.0, 0.0, 0.0])), [1.0, 3.0, 3.0], atol=1e-12)
    np.testing.assert_allclose(g.rotation_vector(turn[3:]), [0.0, 0.0, np.pi / 2], atol=1e-12)


def test_axes_by_hand() -> None:
    down = g.matrix_from_quat(g.quat_from_axes((0.0, 0.0, -2.0), (0.0, 3.0, 0.5)))
    np.testing.assert_allclose(down, [[-1, 0, 0], [0, 1, 0], [0, 0, -1]], atol=1e-12)


@given(pose, pose, vector)
def test_compose_is_one_transform_after_the_other(a: Floats, b: Floats, point: Floats) -> None:
    np.testing.assert_allclose(g.transform(g.compose(a, b), point), g.transform(a, g.transform(b, point)), atol=1e-9)


@given(pose)
def test_inverse_undoes(a: Floats) -> None:
    position, rotation = g.pose_error(g.compose(a, g.inverse(a)), NOTHING)
    assert position < 1e-9
    assert rotation < 1e-7


@given(quat, quat)
def test_product_and_matrix_agree_with_scipy(a: Floats, b: Floats) -> None:
    ours = g.quat_multiply(a, b)
    theirs = Rotation.from_quat(a, scalar_first=True) * Rotation.from_quat(b, scalar_first=True)
    assert same_rotation(ours, theirs.as_quat(scalar_first=True))
    np.testing.assert_allclose(g.matrix_from_quat(ours), theirs.as_matrix(), atol=1e-9)
    assert same_rotation(g.quat_from_matrix(theirs.as_matrix()), ours)


@given(vector)
def test_rotation_vector_is_its_own_inverse(v: Floats) -> None:
    np.testing.assert_allclose(g.rotation_vector(g.quat_from_rotation_vector(v)), v, atol=1e-9)


@given(pose, pose, st.floats(0.0, 1.0))
def test_interpolation_divides_distance_and_angle(a: Floats, b: Floats, share: float) -> None:
    whole, part = g.pose_error(a, b), g.pose_error(a, g.interpolate(a, b, share))
    assert part[0] == pytest.approx(share * whole[0], abs=1e-9)
    assert part[1] == pytest.approx(share * whole[1], abs=1e-6)


def test_leading_axes_broadcast() -> None:
    rng = np.random.default_rng(0)
    many = g.pose_from(rng.normal(size=(5, 3)), rng.normal(size=(5, 4)))
    points = rng.normal(size=(5, 3))
    together = g.transform(g.compose(many[0], many), points)
    one_by_one = [g.transform(g.compose(many[0], a), p) for a, p in zip(many, points, strict=True)]
    np.testing.assert_allclose(together, one_by_one, atol=1e-12)
    np.testing.assert_allclose(g.quat_from_matrix(g.matrix_from_quat(many[:, 3:])).shape, (5, 4))
