"""Poses and rotations. A pose is (..., 7) float64: xyz in m, then a unit quaternion wxyz; leading axes broadcast."""

from __future__ import annotations

import math

import mujoco
import numpy as np
from numpy.typing import ArrayLike

from .state import Floats


def pose_from(pos: ArrayLike, quat: ArrayLike) -> Floats:
    """The pose of position (..., 3) and quaternion (..., 4), which is normalised here."""
    q = np.asarray(quat, np.float64)
    return np.concatenate([np.asarray(pos, np.float64), q / np.linalg.norm(q, axis=-1, keepdims=True)], axis=-1)


def compose(a_from_b: Floats, b_from_c: Floats) -> Floats:
    """`a_from_c`: the second pose seen from where the first one is given."""
    pos = transform(a_from_b, b_from_c[..., :3])
    return np.concatenate([pos, quat_multiply(a_from_b[..., 3:], b_from_c[..., 3:])], axis=-1)


def inverse(pose: Floats) -> Floats:
    """`b_from_a` of `a_from_b`."""
    back = quat_conjugate(pose[..., 3:])
    return np.concatenate([-rotate(back, pose[..., :3]), back], axis=-1)


def transform(a_from_b: Floats, points_b: Floats) -> Floats:
    """Points (..., 3) given in frame b, in frame a."""
    return rotate(a_from_b[..., 3:], points_b) + a_from_b[..., :3]


def interpolate(start: Floats, end: Floats, share: float) -> Floats:
    """The pose `share` (0-1) of the way: the position on the straight line, the rotation on the shortest arc."""
    turn = rotation_vector(quat_multiply(end[..., 3:], quat_conjugate(start[..., 3:])))
    quat = quat_multiply(quat_from_rotation_vector(share * turn), start[..., 3:])
    return np.concatenate([start[..., :3] + share * (end[..., :3] - start[..., :3]), quat], axis=-1)


def pose_error(actual: Floats, wanted: Floats) -> tuple[float, float]:
    """How far two poses (7,) are apart: m, and rad of the shortest rotation."""
    turn = np.empty(3)
    mujoco.mju_subQuat(turn, wanted[3:], actual[3:])
    return math.dist(wanted[:3], actual[:3]), math.hypot(*turn)


def rotate(quat: Floats, vectors: Floats) -> Floats:
    """Vectors (..., 3) turned by unit quaternions (..., 4): v + 2 w (u x v) + 2 u x (u x v)."""
    w, u = quat[..., :1], quat[..., 1:]
    twice = 2.0 * _cross(u, vectors)
    return vectors + w * twice + _cross(u, twice)


def quat_multiply(a: Floats, b: Floats) -> Floats:
    """The rotation `b`, then `a`; Hamilton's product."""
    w, u = a[..., :1], a[..., 1:]
    s, v = b[..., :1], b[..., 1:]
    real = w * s - np.sum(u * v, axis=-1, keepdims=True)
    return np.concatenate([real, w * v + s * u + _cross(u, v)], axis=-1)


def quat_conjugate(quat: Floats) -> Floats:
    """The opposite rotation of unit quaternions (..., 4)."""
    conjugate: Floats = quat * np.array([1.0, -1.0, -1.0, -1.0])
    return conjugate


def rotation_vector(quat: Floats) -> Floats:
    """Axis times angle (..., 3), rad, angle at most pi, of unit quaternions (..., 4)."""
    quat = np.where(quat[..., :1] < 0, -quat, quat)
    sine = np.linalg.norm(quat[..., 1:], axis=-1, keepdims=True)
    angle = 2.0 * np.arctan2(sine, quat[..., :1])
    return quat[..., 1:] * np.where(sine > 1e-12, angle / np.maximum(sine, 1e-12), 2.0)


def quat_from_rotation_vector(vector: ArrayLike) -> Floats:
    """Unit quaternions (..., 4) of axis times angle (..., 3), rad."""
    v = np.asarray(vector, np.float64)
    half = 0.5 * np.linalg.norm(v, axis=-1, keepdims=True)
    return np.concatenate([np.cos(half), 0.5 * np.sinc(half / np.pi) * v], axis=-1)


def quat_from_axes(z: ArrayLike, y: ArrayLike) -> Floats:
    """The rotation whose z axis points along `z` and whose y axis as nearly along `y` as that allows; (..., 3) each.

    For the tool: z is the approach direction, y the closing axis. `y` must not be parallel to `z`.
    """
    z_axis = _unit(np.asarray(z, np.float64))
    x_axis = _unit(np.cross(np.asarray(y, np.float64), z_axis))
    return quat_from_matrix(np.stack([x_axis, np.cross(z_axis, x_axis), z_axis], axis=-1))


def matrix_from_quat(quat: Floats) -> Floats:
    """Rotation matrices (..., 3, 3) of unit quaternions (..., 4); the columns are the turned axes."""
    return np.stack([rotate(quat, axis) for axis in np.eye(3)], axis=-1)


def quat_from_matrix(matrix: Floats) -> Floats:
    """Unit quaternions (..., 4), w >= 0, of rotation matrices (..., 3, 3).

    Of the four ways to recover a quaternion the one with the largest divisor is taken (Shepperd 1978).
    """
    m = matrix
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    x, y, z = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    rows = [
        [1 + xx + yy + zz, x, y, z],
        [x, 1 + xx - yy - zz, xy, xz],
        [y, xy, 1 - xx + yy - zz, yz],
        [z, xz, yz, 1 - xx - yy + zz],
    ]
    outer = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)  # 4 q q^T
    best = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    quat = _unit(np.take_along_axis(outer, best[..., None, None], axis=-2)[..., 0, :])
    return np.where(quat[..., :1] < 0, -quat, quat)


def _cross(a: Floats, b: Floats) -> Floats:
    """`np.cross` of vectors (..., 3), which for single ones takes ten times as long."""
    product = np.empty(np.broadcast(a, b).shape)
    for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        product[..., i] = a[..., j] * b[..., k] - a[..., k] * b[..., j]
    return product


def _unit(vector: Floats) -> Floats:
    unit: Floats = vector / np.linalg.norm(vector, axis=-1, keepdims=True)
    return unit
