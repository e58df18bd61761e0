"""Recorded episodes, played again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from valuefield.agents.actor import RandomActor
from valuefield.agents.evaluate import drive
from valuefield.agents.playback import environment_for, picture, play_actions, play_states
from valuefield.agents.recording import Recorder, discard_from
from valuefield.agents.replay import Transition
from valuefield.envs import tabletop
from valuefield.envs.episodes import Episode, EpisodeHeader, EpisodeWriter, Step, read_episode
from valuefield.envs.expert import ScriptedExpert
from valuefield.envs.minigrid_expert import GridExpert
from valuefield.envs.policy_env import policy_env, recipe_for
from valuefield.robots.errors import BadInput

REACH, GRID, SWING = "tabletop/reach_target", "MiniGrid-MultiRoom-N2-S4-v0", "Pendulum-v1"


def by_joints(folder: Path, seed: int, variation: int | None) -> Episode:
    """The scripted expert's episode, with the variation drawn or asked for."""
    env = tabletop.make(REACH, cameras=(), action="joint")
    try:
        obs, info = env.reset(seed=seed, options=None if variation is None else {"variation": variation})
        header = EpisodeHeader(REACH, "", "joint", env.ctrl_dt, seed, info["variation"])
        with EpisodeWriter(folder, header, obs) as writer:
            for tick in drive(ScriptedExpert(env), env, obs, info):
                step = Step(tick.info["action_sent"], tick.reward, tick.terminated, tick.truncated)
                writer.step(step, tick.obs)
            return read_episode(writer.finish(tick.info["success"]))
    finally:
        env.close()


def as_seen(folder: Path, env_id: str, observe: str = "", steps: int = 100) -> Episode:
    """An episode as a policy sees it."""
    recipe = recipe_for(env_id, observe)
    env = policy_env(recipe)
    recorder = Recorder(folder, recipe, None)
    obs, info = env.reset(seed=4)
    recorder.begin(4, obs, info)
    actor = GridExpert(env) if env_id == GRID else RandomActor(env.action_space, 0)
    for _, tick in zip(range(steps), drive(actor, env, obs, info), strict=False):
        sent = tick.info.get("action_sent", tick.action)
        recorder.step(Transition(obs, sent, None, tick.reward, tick.obs, tick.terminated, False), tick.action)
        obs = tick.obs
    env.close()
    return read_episode(recorder.end(success=bool(tick.info.get("success"))))


@pytest.fixture
def opened() -> Iterator[Any]:
    """`environment_for`, closed at the end."""
    made = []

    def make(episode: Episode) -> Any:
        made.append(environment_for(episode))
        return made[-1]

    yield make
    for env in made:
        env.close()


@pytest.mark.parametrize("variation", [None, 2])
def test_actions_lead_where_they_led(tmp_path: Path, opened: Any, variation: int | None):
    episode = by_joints(tmp_path, 5, variation)
    played = play_actions(episode, opened(episode))
    assert (played.success, played.recorded, played.same) == (True, True, True)
    assert played.steps == len(episode.steps)
    assert set(played.deviation) == set(episode.obs)
    assert max(played.deviation.values()) == 0.0


def test_the_joints_lead_there_too(tmp_path: Path, opened: Any):
    episode = by_joints(tmp_path, 5, None)
    shown: list[float] = []
    played = play_states(episode, opened(episode), lambda env: shown.append(env.robot_state.time))
    assert played.same
    assert len(shown) == played.steps


def test_other_actions_are_told_from_what_was_recorded(tmp_path: Path, opened: Any):
    episode = by_joints(tmp_path, 5, None)
    still = [replace(step, action=np.append(episode.obs["q"][0], 1.0)) for step in episode.steps]
    played = play_actions(replace(episode, steps=tuple(still)), opened(episode))
    assert not played.success
    assert not played.same
    assert played.deviation["q"] > 0.05


@pytest.mark.parametrize(("env_id", "observe"), [(GRID, ""), (SWING, ""), (REACH, "state")])
def test_what_a_policy_saw_comes_back(tmp_path: Path, opened: Any, env_id: str, observe: str):
    episode = as_seen(tmp_path, env_id, observe, steps=8)
    played = play_actions(episode, opened(episode))
    assert played.deviation
    assert max(played.deviation.values()) < 1e-6
    assert played.success == episode.success


def test_a_success_that_had_failed_is_not_the_same(tmp_path: Path, opened: Any):
    episode = as_seen(tmp_path, GRID)
    assert play_actions(episode, opened(episode)).same
    assert not play_actions(replace(episode, success=False), opened(episode)).same


def test_what_cannot_be_played(tmp_path: Path, opened: Any):
    episode = as_seen(tmp_path, GRID)
    env = opened(episode)
    with pytest.raises(BadInput, match="--by action"):
        play_states(episode, env)
    for broken in (replace(episode, header=replace(episode.header, seed=None)), replace(episode, steps=())):
        with pytest.raises(BadInput, match="without a seed, or without a step"):
            play_actions(broken, env)


def test_pictures(tmp_path: Path, opened: Any):
    env = opened(as_seen(tmp_path, GRID))
    env.reset(seed=0)
    shown = picture(env)
    assert shown.dtype == np.uint8
    assert shown.ndim == 3
    assert len(np.unique(shown)) > 3
    with pytest.raises(BadInput, match="no picture"):
        picture(opened(as_seen(tmp_path, SWING, steps=2)))


def test_episodes_that_are_run_again_are_removed(tmp_path: Path):
    recipe = recipe_for(SWING)
    obs = np.zeros(3, np.float32)
    for seed in (10_000, 10_001, 10_002):
        recorder = Recorder(tmp_path, recipe, None)
        recorder.begin(seed, obs, {})
        recorder.step(Transition(obs, np.zeros(1), np.ones(1), 0.5, obs, False, True, True, True, False), np.zeros(1))
        if seed < 10_002:
            recorder.end(success=None)
        else:
            recorder._writer._journal._file.close()  # as a killed process leaves it
    discard_from(tmp_path, 10_001)
    (left,) = tmp_path.iterdir()
    episode = read_episode(left)
    assert episode.header.seed == 10_000
    (step,) = episode.steps
    assert (step.action.tolist(), step.policy_action.tolist(), step.reward) == ([0.0], [1.0], 0.5)
    assert (step.intervened, step.takeover_start, step.approved) == (True, True, False)
