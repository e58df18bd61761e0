"""The bodies that the tasks are made of: boxes, balls and cylinders with one set of contact values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mujoco import MjsBody, MjSpec, mjtGeom

FRICTION = (0.8, 0.005, 0.0001)
"""Sliding, torsional and rolling; the fingers' own values have priority where they touch."""

Rgba = tuple[float, float, float, float]


def fixed(spec: MjSpec, name: str) -> MjsBody:
    """Body that stands where it is put at reset."""
    return spec.worldbody.add_body(name=name)


def movable(spec: MjSpec, name: str) -> MjsBody:
    """Body that can be picked up or pushed."""
    body = spec.worldbody.add_body(name=name)
    body.add_freejoint(name=name)
    return body


def box(body: MjsBody, half: Sequence[float], *, at: Sequence[float] = (0, 0, 0), rgba: Rgba, **more: Any) -> None:
    """Box of half sizes `half`, m, centred `at` in the body's frame; `more`: name, mass (kg), quat."""
    body.add_geom(type=mjtGeom.mjGEOM_BOX, size=half, pos=at, rgba=rgba, friction=FRICTION, **more)


def cylinder(body: MjsBody, radius: float, half_height: float, *, at: Sequence[float], rgba: Rgba, mass: float) -> None:
    """Upright cylinder centred `at`."""
    size = (radius, half_height, 0)
    body.add_geom(type=mjtGeom.mjGEOM_CYLINDER, size=size, pos=at, rgba=rgba, mass=mass, friction=FRICTION)


def ball(body: MjsBody, radius: float, *, rgba: Rgba, mass: float) -> None:
    """Sphere; it resists rolling as a soft fruit does."""
    size, friction = (radius, 0, 0), (0.8, 0.01, 0.002)
    body.add_geom(type=mjtGeom.mjGEOM_SPHERE, size=size, rgba=rgba, mass=mass, friction=friction, condim=6)


def marker(body: MjsBody, kind: mjtGeom, size: Sequence[float], *, rgba: Rgba, at: Sequence[float] = (0, 0, 0)) -> None:
    """Something that is seen and never touched, such as a target."""
    body.add_geom(type=kind, size=size, pos=at, rgba=rgba, contype=0, conaffinity=0, mass=0)
