"""Tasks for a Panda at a table, with the semantics of RLBench. Importing this registers `tabletop/<task>-v0`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import gymnasium

from ...robots.errors import UnknownName
from .env import TabletopEnv

TASKS = {
    "open_drawer": "open_drawer:OpenDrawer",
    "close_drawer": "close_drawer:CloseDrawer",
    "push_buttons": "push_buttons:PushButtons",
    "slide_block_to_color_target": "slide_block_to_color_target:SlideBlockToColorTarget",
    "put_rubbish_in_bin": "put_rubbish_in_bin:PutRubbishInBin",
    "pick_and_lift": "pick_and_lift:PickAndLift",
    "reach_target": "reach_target:ReachTarget",
}
"""Name of each task, and where its class is; imported only when asked for."""

SUITES = {"tabletop/first6": tuple(f"tabletop/{name}" for name in list(TASKS)[:6])}
"""Sets of environments that are evaluated together."""


def make(env_id: str, **options: Any) -> TabletopEnv:
    """The environment `tabletop/<task>`, with or without `-v0`, not wrapped; `options` are those of `TabletopEnv`.

    Raises:
        UnknownName: there is no such environment.
    """
    name = env_id.removeprefix("tabletop/").removesuffix("-v0")
    if env_id.removesuffix("-v0") != f"tabletop/{name}" or name not in TASKS:
        raise UnknownName("environment", env_id, [f"tabletop/{task}" for task in TASKS])
    module, _, task = TASKS[name].partition(":")
    return TabletopEnv(getattr(import_module(f".{module}", __package__), task)(), **options)


def register() -> None:
    """Make every task known to `gymnasium.make`."""
    for name in TASKS:
        env_id = f"tabletop/{name}"
        if f"{env_id}-v0" not in gymnasium.registry:
            gymnasium.register(f"{env_id}-v0", entry_point=f"{__name__}:make", kwargs={"env_id": env_id})


register()
