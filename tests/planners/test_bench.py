import json
from pathlib import Path

import numpy as np
import pytest

from valuefield.cli.main import main
from valuefield.planners.bench_planner import (
    CLOUD,
    GRID,
    LISTED_MS,
    StageTime,
    cloud,
    counted_ms,
    goal_map,
    own_step,
)
from valuefield.planners.bench_row import Row
from valuefield.planners.bench_scenes import CLASSES, bin_, boxes, collides, scenes, wall
from valuefield.planners.field import Field
from valuefield.planners.greedy import Stages
from valuefield.planners.path import FOUND, plan_path


def test_the_first_scenes_are_drawn_in_the_order_that_is_laid_down() -> None:
    rng = np.random.default_rng(7)
    x, y0, y1, z1 = rng.integers(42, 58), rng.integers(10, 30), rng.integers(70, 90), rng.integers(40, 75)
    scene = wall(np.random.default_rng(7))
    assert scene.start.tolist() == [rng.integers(8, 20), rng.integers(35, 65), rng.integers(10, 30)]
    assert scene.goal.tolist() == [rng.integers(80, 92), rng.integers(35, 65), rng.integers(10, 30)]
    assert scene.solid.sum() == 3 * 10_000 + 6 * (y1 - y0) * (z1 - 3)
    assert scene.solid[x - 3, y0, 3] and scene.solid[x + 2, y1 - 1, z1 - 1]

    rng = np.random.default_rng(7)
    low, half = rng.integers(15, 85, 3), rng.integers(4, 14, 3)
    assert boxes(np.random.default_rng(7)).solid[tuple(low + half - 1)]

    rng = np.random.default_rng(7)
    scene = bin_(np.random.default_rng(7))
    assert scene.goal.tolist() == [rng.integers(60, 75), rng.integers(40, 60), 10]
    assert scene.solid.sum() == 3 * 10_000 + (44**2 - 36**2) * 42
    assert not scene.solid[tuple(scene.goal)]


@pytest.mark.parametrize("name", CLASSES)
def test_every_start_and_goal_is_free_and_far_apart(name: str) -> None:
    drawn = list(scenes(name))
    assert len(drawn) == 30
    for scene in drawn:
        assert not scene.solid[tuple(scene.start)]
        assert not scene.solid[tuple(scene.goal)]
        assert np.linalg.norm(scene.start - scene.goal) > 35
        assert not (scene.cleared() & ~scene.solid).any()


def test_clearing_around_goal_and_start() -> None:
    scene = bin_(np.random.default_rng(7))
    cleared = scene.cleared()
    x, y, z = scene.start
    assert not cleared[max(x - 10, 0) : x + 10, y - 10 : y + 10, max(z - 10, 0) : z + 10].any()
    assert cleared[x, y, 0] == (z > 10)
    assert not cleared[tuple(scene.goal - (0, 0, 10))]
    gx, gy, _ = scene.goal
    assert cleared[gx + 15, gy, 0] == scene.solid[gx + 15, gy, 0]


def test_a_collision_is_a_sample_in_a_solid_voxel() -> None:
    solid = np.zeros((10, 10, 10), dtype=bool)
    solid[5, 5, 5] = True
    assert collides(np.array([(0.0, 5, 5), (9.0, 5, 5)]), solid)
    assert collides(np.array([(5.0, 5, 5), (5.0, 5, 5)]), solid)
    assert not collides(np.array([(0.0, 5, 5.6), (9.0, 5, 5.6)]), solid)


def test_a_stage_that_is_too_slow_here_counts_as_listed() -> None:
    assert StageTime(measured=100.0, listed=30.0).counted == 30.0
    assert StageTime(measured=44.0, listed=30.0).counted == 44.0
    assert StageTime(measured=10.0, listed=30.0).counted == 10.0
    stages = Stages()
    stages.ms.update({"step": 400.0, "Gaussian": 20.0})
    stages.runs.update({"step": 10, "Gaussian": 1})
    assert counted_ms(stages) == pytest.approx(10 * LISTED_MS["step"] + 20.0)


def test_a_ratio_above_one_is_ours() -> None:
    assert Row("x", 10.0, 30.0, "ms").ratio == 3.0
    assert Row("x", 0, 30, "of 30").ratio is None


def test_a_cloud_lies_on_the_surfaces_and_a_step_starts_from_it() -> None:
    scene = wall(np.random.default_rng(7))
    points = cloud(scene, np.random.default_rng(0))
    assert points.shape == (CLOUD, 3)
    assert scene.solid[tuple(np.rint(points).astype(int).T)].all()
    result = own_step(points, scene)
    assert result.reason == FOUND
    assert result.points_world is not None and result.gripper is not None
    assert not collides(result.points_world / 0.01, scene.solid)
    assert result.gripper[[0, -1]].tolist() == [1, 0]


@pytest.mark.slow
def test_our_planner_solves_all_ninety_scenes_and_collides_in_none() -> None:
    for name in CLASSES:
        for scene in scenes(name):
            solid = scene.cleared()
            result = plan_path(goal_map(scene), Field(GRID, solid), GRID.to_world(scene.start), radius=0, contact=0)
            assert result.points_world is not None
            assert not collides(GRID.to_index(result.points_world), solid)


def test_one_scene_of_each_class_makes_the_whole_table_kept_as_one_line(tmp_path: Path) -> None:
    assert main(["bench", "planner", "--scenes", "1", "--out", str(tmp_path)]) == 0
    (cell,) = [json.loads(line) for line in (tmp_path / "planner.jsonl").read_text().splitlines()]
    assert cell["config"] == {"bench": "planner", "scenes": 1, "seed": 7}
    rows = {row["name"]: row for row in cell["result"]["rows"]}
    assert list(rows) == [f"{c}/{r}" for c in CLASSES for r in ("collisions", "unsolved", "plan_ms")] + ["step_ms"]
    assert set(rows["step_ms"]) == {"name", "ours", "baseline", "ratio", "unit"}
    assert all(rows[f"{c}/{r}"]["ours"] == 0 for c in CLASSES for r in ("collisions", "unsolved"))
    assert rows["bin/collisions"]["baseline"] == 1
    assert all(0 < stage["counted"] <= 1.5 * stage["listed"] for stage in cell["result"]["stages"].values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plannr"], "unknown bench 'plannr'; nearest: 'planner'"),
        (["planner", "--scenes", "0"], "--scenes is 1 or more"),
    ],
)
def test_the_verb_refuses_what_it_does_not_know(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", *words]) == 2
    assert said in capsys.readouterr().err
