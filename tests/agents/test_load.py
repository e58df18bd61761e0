"""From a name to an actor; a start left to chance."""

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from valuefield.agents.actor import FromRobot, PolicyActor, RandomActor, RandomStart
from valuefield.agents.bc import BC, BCConfig
from valuefield.agents.evaluate import drive
from valuefield.agents.load import ALGORITHMS, PolicyOptions, algorithm, environment_of, load_policy
from valuefield.agents.pvp import PVP, DiscretePVP, DiscretePVPConfig, PVPConfig
from valuefield.envs import tabletop
from valuefield.envs.expert import ScriptedExpert
from valuefield.envs.minigrid_expert import GridExpert
from valuefield.envs.policy_env import policy_env, recipe_for
from valuefield.envs.tool_expert import ToolExpert
from valuefield.robots.errors import BadInput, UnknownName


class Says:
    """Acts by its word; says it is finished once it has acted."""

    reason = "tired"

    def __init__(self, word: str) -> None:
        self.word, self.finished = word, False

    def reset(self, obs: dict[str, Any], info: dict[str, Any]) -> None:
        self.finished = False

    def act(self, obs: dict[str, Any]) -> Any:
        self.finished = True
        return self.word


def test_each_episode_begins_with_chance():
    actor = RandomStart(Says("actor"), Says("chance"), 2)
    for _ in range(2):
        actor.reset({}, {})
        assert [actor.act({}) for _ in range(2)] == ["chance"] * 2
        assert not actor.finished
        assert actor.act({}) == "actor"
        assert actor.finished
    assert actor.reason == "tired"


def test_bad_names_and_options():
    env = tabletop.make("tabletop/reach_target", action="joint")
    try:
        with pytest.raises(UnknownName, match="scripted"):
            load_policy("skripted", env)
        with pytest.raises(BadInput, match="-1"):
            load_policy("random", env, PolicyOptions(random_steps=-1))
    finally:
        env.close()


BOX, FEW = Box(-1, 1, (2,), np.float32), Discrete(3)


def test_an_algorithm_takes_the_form_that_the_actions_ask_for():
    assert algorithm("pvp", BOX) == (PVP, PVPConfig)
    assert algorithm("pvp", FEW) == (DiscretePVP, DiscretePVPConfig)
    assert algorithm("bc", FEW) == (BC, BCConfig)
    with pytest.raises(BadInput, match="dqn takes discrete actions"):
        algorithm("dqn", BOX)
    with pytest.raises(UnknownName, match="nearest: 'hg-dagger'"):
        algorithm("hgdagger", BOX)


@pytest.mark.parametrize(("name", "form"), [(name, form) for name, forms in ALGORITHMS.items() for form in forms])
def test_every_algorithm_can_be_made_and_acts(name: str, form: str):
    actions = FEW if form == "discrete" else BOX
    kind, config = algorithm(name, actions)
    agent = kind(Box(-1, 1, (4,), np.float32), actions, config())
    action = agent.act(np.zeros((5, 4), np.float32), online=True)
    assert action.shape == ((5,) if form == "discrete" else (5, 2))
    assert all(actions.contains(each) for each in action)
    assert agent.config.replay in ("flat", "intervention", "feedback")


@pytest.mark.parametrize(
    ("env_id", "observe", "expert"),
    [
        ("tabletop/reach_target", "", ScriptedExpert),
        ("tabletop/reach_target", "state", ToolExpert),
        ("MiniGrid-Empty-5x5-v0", "", GridExpert),
    ],
)
def test_the_scripted_expert_is_what_suits_the_environment(env_id: str, observe: str, expert: type):
    env, recipe = environment_of("scripted", env_id, observe)
    actor = load_policy("scripted", env)
    assert isinstance(actor, expert)
    assert recipe.env == env_id
    *_, last = drive(actor, env, *env.reset(seed=3))
    assert last.info["success"]
    env.close()


def test_where_there_is_no_expert_it_says_so():
    env, _ = environment_of("random", "Pendulum-v1")
    assert isinstance(load_policy("random", env), RandomActor)
    with pytest.raises(BadInput, match="only tabletop and MiniGrid"):
        load_policy("scripted", env)


def test_a_planner_acts_where_policies_see_something_else():
    env = policy_env(recipe_for("tabletop/reach_target", "state"))
    actor = load_policy("voxposer", env)
    assert isinstance(actor, FromRobot)
    obs, info = env.reset(seed=3)
    assert "q" not in obs
    actor.reset(obs, info)
    assert env.action_space.contains(actor.act(obs))
    env.close()


def test_a_policy_acts_on_one_observation_and_may_leave_its_average():
    class Echo:
        def act(self, obs: Any, *, explore: bool = False, online: bool = False) -> Any:
            assert not explore
            return obs["seen"] * (2 if online else 1)

    obs = {"seen": np.arange(3.0)}
    np.testing.assert_array_equal(PolicyActor(Echo()).act(obs), [0, 1, 2])
    np.testing.assert_array_equal(PolicyActor(Echo(), online=True).act(obs), [0, 2, 4])
