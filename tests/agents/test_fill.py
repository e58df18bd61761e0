"""Recorded episodes as rows of replay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from valuefield.agents.fill import fill, make_replay
from valuefield.agents.hg_dagger import HGDaggerConfig
from valuefield.agents.intervention_replay import InterventionReplay
from valuefield.agents.replay import Replay
from valuefield.envs.episodes import EpisodeHeader, EpisodeWriter, Step
from valuefield.envs.policy_env import Recipe
from valuefield.robots.errors import BadInput

RECIPE = Recipe("tabletop/reach_target", "objects", "ee_delta", ("wrist",), 64)
HEADER = EpisodeHeader(
    env=RECIPE.env, instruction="", action="ee_delta", ctrl_dt=0.05, reset_info={"recipe": RECIPE.as_json()}
)
SEEN = spaces.Dict({key: spaces.Box(-9, 9, (2,), np.float32) for key in ("tool", "objects")})
ARM = spaces.Box(-9, 9, (2,), np.float32)


def observation(k: int) -> dict[str, np.ndarray]:
    return {"tool": np.array([k, 1.0]), "objects": np.array([k, 2.0]), "rgb/front": np.zeros((8, 8, 3), np.uint8)}


def record(folder: Path, steps: int, header: EpisodeHeader = HEADER, *, finish: bool = True) -> Path:
    """Steps k = 0, 1, ... lead from observation k to k + 1; odd ones are the person's, and nobody proposed the last."""
    writer = EpisodeWriter(folder, header, observation(0))
    for k in range(steps):
        step = Step(
            action=np.array([k, 3.0]),
            reward=k,
            terminated=k == steps - 1,
            truncated=False,
            policy_action=None if k == steps - 1 else np.array([k, 4.0]),
            intervened=k % 2 == 1,
            takeover_start=k == 1,
            approved=k == 2,
        )
        writer.step(step, observation(k + 1))
    return writer.finish(True) if finish else writer.path


def rows_of(replay: Replay) -> dict[int, dict]:
    """Rows by reward, which numbers the steps."""
    batch = replay.sample(200)
    flags = ("intervened", "takeover_start", "approved", "terminated", "truncated", "action", "policy_action")
    return {
        int(reward): {name: batch[name][k].tolist() for name in flags}
        | {name: batch[name]["tool"][k, 0].item() for name in ("obs", "next_obs")}
        for k, reward in enumerate(batch["reward"].tolist())
    }


def test_every_step_becomes_the_row_that_it_was(tmp_path):
    record(tmp_path, 4)
    replay = Replay(SEEN, ARM, 100, seed=0)
    assert fill(replay, [tmp_path], RECIPE) == 4
    rows = rows_of(replay)
    assert sorted(rows) == [0, 1, 2, 3]
    for k, row in rows.items():
        assert (row["obs"], row["next_obs"], row["action"]) == (k, k + 1, [k, 3.0])
        assert (row["intervened"], row["takeover_start"], row["approved"]) == (k % 2 == 1, k == 1, k == 2)
        assert (row["terminated"], row["truncated"]) == (k == 3, False)
    assert rows[0]["policy_action"] == [0.0, 4.0]
    assert rows[3]["policy_action"] == rows[3]["action"], "nobody proposed anything"


def test_the_rows_of_the_person_alone_and_so_many_at_most(tmp_path):
    record(tmp_path, 5)
    record(tmp_path, 5)
    for rows, most, expected in (("intervened", None, 4), ("all", 7, 7), ("intervened", 3, 3), ("all", None, 10)):
        replay = Replay(SEEN, ARM, 100, seed=0)
        assert fill(replay, [tmp_path], RECIPE, rows=rows, most=most) == len(replay) == expected
        assert all(row["intervened"] for row in rows_of(replay).values()) or rows == "all"


def test_a_run_a_folder_a_file_and_a_dead_journal_are_all_read(tmp_path):
    inside = tmp_path / "episodes"
    first, journal = record(inside, 2), record(inside, 3, finish=False)
    assert fill(Replay(SEEN, ARM, 100, seed=0), [first], RECIPE) == 2
    assert fill(Replay(SEEN, ARM, 100, seed=0), [journal], RECIPE) == 3
    assert not journal.exists()
    record(inside, 1, finish=False)
    for path in (tmp_path, inside):
        assert fill(Replay(SEEN, ARM, 100, seed=0), [path], RECIPE) == 6


def test_choices_and_plain_observations_are_rows_of_one_array(tmp_path):
    grid = np.arange(8, dtype=np.uint8).reshape(2, 2, 2)
    header = EpisodeHeader(env="MiniGrid-Empty-6x6-v0", instruction="", action="", ctrl_dt=1.0)
    with EpisodeWriter(tmp_path, header, {"obs": grid}) as writer:
        writer.step(Step(np.array([5]), 0.0, False, False, policy_action=np.array([2])), {"obs": grid + 1})
    replay = Replay(spaces.Box(0, 255, (2, 2, 2), np.uint8), spaces.Discrete(7), 10, seed=0)
    assert fill(replay, [tmp_path], Recipe("MiniGrid-Empty-6x6-v0")) == 1
    batch = replay.sample(1)
    assert (batch["action"].item(), batch["policy_action"].item()) == (5, 2)
    np.testing.assert_array_equal(batch["next_obs"][0].numpy(), grid + 1)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (replace(HEADER, env="tabletop/open_drawer"), "environment 'tabletop/open_drawer'.*'tabletop/reach_target'"),
        (replace(HEADER, action="joint"), "action 'joint'; this training has 'ee_delta'"),
        (
            replace(HEADER, reset_info={"recipe": replace(RECIPE, observe="state").as_json()}),
            "way to observe 'state'; this training has 'objects'",
        ),
    ],
)
def test_episodes_of_something_else_are_refused_by_both_names(tmp_path, header, message):
    record(tmp_path, 2, header)
    with pytest.raises(BadInput, match=message):
        fill(Replay(SEEN, ARM, 100, seed=0), [tmp_path], RECIPE)


def test_what_does_not_fit_or_is_not_there_is_refused(tmp_path):
    record(tmp_path / "data", 3)
    wide = spaces.Box(-1, 1, (3,), np.float32)
    for observation_space, action_space, message in (
        (spaces.Dict({"q": ARM}), ARM, "has no q; it has: tool, objects"),
        (ARM, ARM, "has no obs"),
        (SEEN, wide, "step 0 of .*: action of a transition is float64 of shape"),
        (spaces.Dict({"tool": wide}), ARM, "step 0 of .*: obs/tool of a transition"),
        (SEEN, spaces.Discrete(3), "step 0 of .*: action"),
    ):
        with pytest.raises(BadInput, match=message):
            fill(Replay(observation_space, action_space, 100, seed=0), [tmp_path / "data"], RECIPE)
    replay = Replay(SEEN, ARM, 100, seed=0)
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "missing", tmp_path / "data" / "episode-000007.parquet"):
        with pytest.raises(BadInput, match=f"{path} is no episode"):
            fill(replay, [path], RECIPE)
    record(tmp_path / "alone", 1)
    with pytest.raises(BadInput, match=r"no rows to learn from \(of rows: intervened\)"):
        fill(replay, [tmp_path / "alone"], RECIPE, rows="intervened")


def test_a_journal_that_is_being_written_is_left_alone(tmp_path):
    with EpisodeWriter(tmp_path, HEADER, observation(0)) as writer:
        with pytest.raises(BadInput, match="no episode and no folder of episodes that are over"):
            fill(Replay(SEEN, ARM, 100, seed=0), [writer.path], RECIPE)
        assert writer.path.exists()


def test_a_replay_with_two_rings_takes_each_row_to_its_own(tmp_path):
    record(tmp_path, 10)
    replay = make_replay(HGDaggerConfig(), SEEN, ARM, 100, seed=0)
    assert isinstance(replay, InterventionReplay)
    fill(replay, [tmp_path], RECIPE)
    assert int(replay.sample(40)["intervened"].sum()) == 20
