"""The way to the goal of a MiniGrid, from its full state: an actor, and a judge of what others would do."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from ..robots.errors import BadInput, PlannerError
from .minigrid_view import HEADINGS

Cell = tuple[int, int]
Pose = tuple[int, int, int]
"""x, y and direction, as in `HEADINGS`."""

LEFT, RIGHT, FORWARD, TOGGLE = 0, 1, 2, 5
ACTIONS = 7

PREFERENCE = (FORWARD, TOGGLE, RIGHT, LEFT)
"""Which of several best actions is taken: always the same, for whoever learns from it may have no memory."""


@dataclass(frozen=True)
class Layout:
    """What a grid is made of. free: cells to stand in, doors and goals among them. doors: with MiniGrid's objects."""

    free: frozenset[Cell]
    doors: dict[Cell, Any]
    goals: frozenset[Cell]
    lava: frozenset[Cell]
    found: dict[frozenset[Cell], dict[Pose, int]] = field(default_factory=dict)

    def steps_to_go(self, closed: frozenset[Cell]) -> dict[Pose, int]:
        """Least steps from each pose to a goal while the doors `closed` are closed; each search is made once."""
        if closed not in self.found:
            self.found[closed] = search(self, closed)
        return self.found[closed]


def read_layout(grid: Any) -> Layout:
    """The layout of MiniGrid's `Grid`.

    Raises BadInput for what this expert cannot deal with: things to carry, locked doors, no goal.
    """
    cells = {(i % grid.width, i // grid.width): thing for i, thing in enumerate(grid.grid)}
    things = {cell: thing for cell, thing in cells.items() if thing is not None}
    for (x, y), thing in things.items():
        if thing.can_pickup() or getattr(thing, "is_locked", False):
            kind = "a locked door" if thing.type == "door" else f"a {thing.type}"
            raise BadInput(f"there is {kind} at ({x}, {y}); GridExpert knows walls, lava, unlocked doors and goals")

    def of(kind: str) -> frozenset[Cell]:
        return frozenset(cell for cell, thing in things.items() if thing.type == kind)

    if not of("goal"):
        raise BadInput("there is no goal to go to; GridExpert knows tasks that end at a goal")
    free = cells.keys() - of("wall") - of("lava")
    return Layout(frozenset(free), {cell: things[cell] for cell in of("door")}, of("goal"), of("lava"))


def search(layout: Layout, closed: frozenset[Cell]) -> dict[Pose, int]:
    """Least steps from each pose that leads to a goal, by Dijkstra's algorithm from the goals backwards.

    Entering a closed door costs a toggle more. That the door is open from then on need not be kept: a shortest way
    enters no cell twice.
    """
    steps = {(x, y, heading): 0 for x, y in layout.goals for heading in range(4)}
    queue = [(0, pose) for pose in steps]
    while queue:
        cost, pose = heapq.heappop(queue)
        if cost > steps[pose]:
            continue
        for before, more in _before(pose, layout, closed):
            if cost + more < steps.get(before, np.inf):
                steps[before] = cost + more
                heapq.heappush(queue, (cost + more, before))
    return steps


def _before(pose: Pose, layout: Layout, closed: frozenset[Cell]) -> Iterator[tuple[Pose, int]]:
    """From which poses one action leads to `pose`, and for how many steps."""
    x, y, heading = pose
    yield (x, y, (heading + 1) % 4), 1
    yield (x, y, (heading - 1) % 4), 1
    dx, dy = HEADINGS[heading]
    if (x - dx, y - dy) in layout.free:
        yield (x - dx, y - dy, heading), 2 if (x, y) in closed else 1


class GridExpert:
    """An actor that takes a shortest way to the goal, and a judge that knows what any action leads to.

    It reads the environment's full state and not the observation. It knows walls, floors, lava, doors that are not
    locked, and goals; each layout is searched once for every set of closed doors that occurs.

    Raises:
        BadInput: `env` is no MiniGrid; at a reset, something in the grid that it does not know, or no goal.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        self._env: Any = env.unwrapped
        if not hasattr(self._env, "agent_dir"):
            raise BadInput(f"GridExpert needs a MiniGrid, not {type(self._env).__name__}")
        self._grid: Any = None

    def reset(self, obs: Any, info: dict[str, Any]) -> None:
        """Read the layout."""
        self._look()

    def act(self, obs: Any) -> int:
        """A best action. Raises PlannerError where no way leads to a goal."""
        costs = self.costs(obs)
        best = costs.min()
        if not np.isfinite(best):
            raise PlannerError(f"no way leads from {self._pose()} to a goal")
        return next(action for action in PREFERENCE if costs[action] == best)

    def costs(self, obs: Any) -> NDArray[np.float64]:
        """(7,): the least steps that are still to go after each action; inf where no goal can be reached any more."""
        layout = self._look()
        closed = frozenset(cell for cell, door in layout.doors.items() if not door.is_open)
        steps = layout.steps_to_go(closed)
        x, y, heading = here = self._pose()
        ahead = (x + HEADINGS[heading][0], y + HEADINGS[heading][1])
        costs = np.full(ACTIONS, steps.get(here, np.inf), np.float64)
        costs[LEFT] = steps.get((x, y, (heading - 1) % 4), np.inf)
        costs[RIGHT] = steps.get((x, y, (heading + 1) % 4), np.inf)
        if ahead in layout.lava:
            costs[FORWARD] = np.inf
        elif ahead in layout.free and ahead not in closed:
            costs[FORWARD] = steps.get((*ahead, heading), np.inf)
        if ahead in layout.doors:
            costs[TOGGLE] = layout.steps_to_go(closed ^ {ahead}).get(here, np.inf)
        return costs

    def _pose(self) -> Pose:
        x, y = self._env.agent_pos
        return int(x), int(y), int(self._env.agent_dir)

    def _look(self) -> Layout:
        """The layout of the present grid; every reset of the environment makes another."""
        if self._env.grid is not self._grid:
            self._layout, self._grid = read_layout(self._env.grid), self._env.grid
        return self._layout
