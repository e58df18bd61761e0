"""A scene without a simulator: boxes seen from all sides, named as the tasks name their things."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from valuefield.envs.perception.box import fit_box
from valuefield.envs.perception.scene_object import SceneObject
from valuefield.robots.errors import UnknownName

DRAWERS = ("bottom drawer", "middle drawer", "top drawer")
CABINET_AT, CABINET_YAW = np.array([0.72, 0.05, 0.0]), np.pi + 0.2
OUTWARD = np.array([np.cos(CABINET_YAW), np.sin(CABINET_YAW), 0.0])
STAND_OFF = 0.06
EYE = np.array([0.1, 0.0, 0.9], np.float32)

SIZES = {
    "button": (0.05, 0.05, 0.046),
    "block": (0.044, 0.05, 0.048),
    "rubbish": (0.04, 0.06, 0.05),
    "tomato": (0.05, 0.05, 0.05),
    "bin": (0.2, 0.18, 0.16),
    "ball": (0.05, 0.05, 0.05),
}
FLAT = (0.12, 0.12, 0.002)


class FakeScene:
    """As much of a Scene as language programs use. opened: how far each drawer stands out, m. hidden: not visible."""

    def __init__(self, names, *, tool=(0.35, 0.0, 0.45), opened=None, hidden=()):
        self.things = built(tuple(names), tuple(sorted((opened or {}).items())))
        self.names = list(self.things)
        self.tool_pose = np.array([*tool, 0.0, 1.0, 0.0, 0.0])
        self.hidden = set(hidden)

    def find(self, name):
        if name not in self.things:
            raise UnknownName("object", name, self.names)
        return None if name in self.hidden else self.things[name]


@cache
def built(names, opened):
    """Things by name; the drawers of a cabinet, with their handles, come with it."""
    things = {}
    for place, name in enumerate(names):
        if name == "cabinet":
            things |= cabinet(dict(opened))
        elif not name.endswith((" drawer", " handle")):
            floats = name == "target" or name.endswith("ball")
            size = SIZES.get(next((word for word in name.split() if word in SIZES), ""), FLAT)
            at = np.array([0.3 + 0.12 * (place % 3), -0.3 + 0.14 * place, 0.35 if floats else size[2] / 2])
            things[name] = thing(name, box_points(at, (0.05,) * 3 if floats else size, 0.3 * place))
    return things


def cabinet(opened):
    boards = [((0.28, 0.36, 0.012), 0.516), ((0.28, 0.36, 0.06), 0.03)]
    parts = [box_points(in_cabinet(-0.14, 0, z), size, CABINET_YAW) for size, z in boards]
    things = {"cabinet": thing("cabinet", np.concatenate(parts))}
    for level, name in enumerate(DRAWERS):
        out, z = opened.get(name, 0.0), 0.06 + (level + 0.5) * 0.15
        front = box_points(in_cabinet(out - 0.0075, 0, z), (0.015, 0.33, 0.144), CABINET_YAW)
        tray = box_points(in_cabinet(out - 0.12, 0, z - 0.06), (0.2, 0.3, 0.004), CABINET_YAW)
        bar = box_points(in_cabinet(out + STAND_OFF, 0, z), (0.012, 0.1, 0.012), CABINET_YAW, count=400)
        things[name] = thing(name, np.concatenate([front, tray, bar]), mounted=bar.mean(axis=0))
        things[f"{name} handle"] = thing(f"{name} handle", bar, whole=things[name])
    return things


def thing(name, points, **more):
    points = points.astype(np.float32)
    return SceneObject(name, points, np.tile(EYE, (len(points), 1)), fit_box(points), **more)


def in_cabinet(x, y, z):
    """World position of a point of the cabinet's own frame, x out of its front."""
    cos, sin = np.cos(CABINET_YAW), np.sin(CABINET_YAW)
    return CABINET_AT + np.array([cos * x - sin * y, sin * x + cos * y, z])


def box_points(center, size, yaw, count=1500):
    """(count, 3) m: points spread over the surface of a box, corners included."""
    rng = np.random.default_rng(0)
    half = np.array(size) / 2
    area = np.array([half[1] * half[2], half[0] * half[2], half[0] * half[1]])
    face = rng.choice(3, size=count, p=area / area.sum())
    local = rng.uniform(-half, half, (count, 3))
    local[np.arange(count), face] = rng.choice([-1, 1], count) * half[face]
    corners = np.stack(np.meshgrid(*zip(-half, half, strict=True)), axis=-1).reshape(-1, 3)
    local = np.concatenate([local, corners])
    turn = np.array([[np.cos(yaw), -np.sin(yaw), 0], [np.sin(yaw), np.cos(yaw), 0], [0, 0, 1]])
    return local @ turn.T + center


@pytest.fixture
def make_scene():
    return FakeScene


@pytest.fixture
def outward():
    """(3,) unit vector, world: where the drawers of a fake cabinet open to."""
    return OUTWARD


@pytest.fixture
def cabinet_names():
    return ["cabinet", *DRAWERS]
