"""From a name to an actor; a start left to chance."""

from typing import Any

import pytest

from valuefield.agents.actor import RandomStart
from valuefield.agents.load import PolicyOptions, load_policy
from valuefield.envs import tabletop
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
