"""What `bench planner` measures: collisions and time of our planner and of the greedy baseline on the same scenes.

A stage of the baseline that takes more than SLACK times what the release was measured to take counts as the release's
figure: neither a slow machine nor a slow rewrite may flatter us.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import process_time

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from .bench_row import Row
from .bench_scenes import CLASSES, SIZE, BenchScene, collides, scenes
from .field import Field
from .greedy import Stages, greedy
from .greedy_step import DOWN, release_step
from .grid import Grid
from .path import PathResult, plan_path, warm_up
from .value_map import DenseMap, RegionMap, ValueMaps

Floats = NDArray[np.float64]

GRID = Grid((0.0, 0.0, 0.0), 0.01, (SIZE, SIZE, SIZE))
CLOUD = 150_000
"""points of a scene's cloud, from which a closed-loop step begins."""

MISSED = 2.0
"""voxels: a descent that ends farther from the goal has not solved its scene."""

SLACK = 1.5
LISTED_MS = {
    "default maps": 5.1,
    "voxelise": 47.5,
    "clear": 155.0,
    "target transform": 30.7,
    "Gaussian": 71.3,
    "normalise": 6.0,
    "step": 0.083,
    "stop test": 0.686,
    "post-process": 2.4,
    "list targets": 1.6,
    "read maps": 4.4,
    "finish test": 27.9,
}
"""CPU ms of one run of each stage in VoxPoser's release, 100 voxels a side, on one core of an idle AMD EPYC machine."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """CPU ms that one run of a stage of the baseline took here, and that the release takes."""

    measured: float
    listed: float

    @property
    def counted(self) -> float:
        """The listed time where the measured one is more than SLACK times longer, else the measured one."""
        return self.listed if self.measured > SLACK * self.listed else self.measured


@dataclass(slots=True)
class Tally:
    """What a planner came to: scenes in which it collided, in which it fell short, and CPU ms a scene."""

    collisions: int = 0
    unsolved: int = 0
    ms: list[float] = field(default_factory=list)


class PlannerBench:
    """Runs our planner and the baseline on `count` scenes of each class, and on a third of them a closed-loop step.

    Time is CPU time of one thread, so that a machine's other work does not count.
    """

    def __init__(self, seed: int, count: int) -> None:
        self.seed, self.count = seed, count
        self._ours = {name: Tally() for name in (*CLASSES, "step")}
        self._baseline = {name: Tally() for name in (*CLASSES, "step")}
        self._stages: list[Stages] = []

    def run(self) -> Iterator[str]:
        """Measure scene by scene; yields the class of each scene when it is done, `count` times each."""
        warm_up()
        for name in CLASSES:
            rng = np.random.default_rng(self.seed)
            for number, scene in enumerate(scenes(name, self.seed, self.count)):
                self._plan(name, scene)
                if number % 3 == 0:
                    self._step(cloud(scene, rng), scene)
                yield name

    def rows(self) -> list[Row]:
        """Return the table: three rows a class, then the closed-loop step."""
        rows = []
        for name in CLASSES:
            ours, baseline = self._ours[name], self._baseline[name]
            rows.append(Row(f"{name}/collisions", ours.collisions, baseline.collisions, f"of {self.count}"))
            rows.append(Row(f"{name}/unsolved", ours.unsolved, baseline.unsolved, f"of {self.count}"))
            rows.append(Row(f"{name}/plan_ms", _median(ours), _median(baseline), "ms"))
        return [*rows, Row("step_ms", _median(self._ours["step"]), _median(self._baseline["step"]), "ms")]

    def stages(self) -> dict[str, StageTime]:
        """Return the mean time of each stage of the baseline over all its runs."""
        ms = {name: sum(each.ms[name] for each in self._stages) for name in LISTED_MS}
        runs = {name: sum(each.runs[name] for each in self._stages) for name in LISTED_MS}
        return {name: StageTime(ms[name] / runs[name], listed) for name, listed in LISTED_MS.items()}

    def _plan(self, name: str, scene: BenchScene) -> None:
        solid = scene.cleared()
        began = process_time()
        result = plan_path(goal_map(scene), Field(GRID, solid), GRID.to_world(scene.start), radius=0.0, contact=0.0)
        ours = self._ours[name]
        ours.ms.append(1e3 * (process_time() - began))
        if result.points_world is None:
            ours.unsolved += 1
        else:
            ours.collisions += collides(GRID.to_index(result.points_world), solid)
        target = np.zeros(GRID.shape)
        target[tuple(scene.goal)] = 1
        stages, baseline = Stages(), self._baseline[name]
        found = greedy(scene.start, target, solid.astype(np.float64), stages)
        baseline.collisions += collides(found.path, solid)
        baseline.unsolved += found.missed > MISSED
        baseline.ms.append(counted_ms(stages))
        self._stages.append(stages)

    def _step(self, points: Floats, scene: BenchScene) -> None:
        began = process_time()
        own_step(points, scene)
        self._ours["step"].ms.append(1e3 * (process_time() - began))
        stages = Stages()
        release_step(points, scene.start, scene.goal, stages)
        self._baseline["step"].ms.append(counted_ms(stages))
        self._stages.append(stages)


def own_step(points: Floats, scene: BenchScene) -> PathResult:
    """From a cloud (N, 3) in voxels to the next waypoints, as the executor plans: maps, obstacles, path."""
    occupied = np.zeros(GRID.shape, dtype=bool)
    occupied[tuple(GRID.nearest(points).T)] = True
    gripper = RegionMap(GRID, 1.0)
    gripper.set_ball(scene.goal, 0.01, 0.0)
    written = goal_map(scene)
    maps = ValueMaps(written.goal, rotation=RegionMap(GRID, DOWN), speed=RegionMap(GRID, 1.0), gripper=gripper)
    return plan_path(maps, Field(GRID, occupied), GRID.to_world(scene.start))


def goal_map(scene: BenchScene) -> ValueMaps:
    """Maps with the scene's goal alone."""
    goal = DenseMap(GRID, highest=1.0)
    goal.set_ball(scene.goal, 0.0, 1.0)
    return ValueMaps(goal)


def cloud(scene: BenchScene, rng: np.random.Generator) -> Floats:
    """(CLOUD, 3) voxels: points spread over the surfaces of the scene."""
    surface = np.argwhere(scene.solid & ~binary_erosion(scene.solid))
    nodes = surface[rng.integers(0, len(surface), CLOUD)]
    return np.asarray(nodes + rng.uniform(-0.49, 0.49, nodes.shape))


def counted_ms(stages: Stages) -> float:
    """Add up what the runs of the stages count for."""
    return sum(StageTime(stages.ms[name] / runs, LISTED_MS[name]).counted * runs for name, runs in stages.runs.items())


def _median(tally: Tally) -> float:
    return float(np.median(tally.ms))
