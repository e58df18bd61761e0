"""Flags of a simulated person: which one they make, and which go together."""

from collections.abc import Iterator
from typing import Any

import gymnasium
import pytest

from valuefield.agents.deep_tamer import DeepTamerConfig
from valuefield.agents.pvp import DiscretePVPConfig, PVPConfig
from valuefield.cli.person import PersonArgs, person_of
from valuefield.envs.policy_env import policy_env, recipe_for
from valuefield.robots.errors import BadInput, UnknownName

STEPWISE = DiscretePVPConfig()


@pytest.fixture(scope="module")
def grid() -> Iterator[gymnasium.Env[Any, Any]]:
    env = policy_env(recipe_for("MiniGrid-Empty-5x5-v0"))
    yield env
    env.close()


@pytest.fixture(scope="module")
def table() -> Iterator[gymnasium.Env[Any, Any]]:
    env = policy_env(recipe_for("tabletop/reach_target", "state"))
    yield env
    env.close()


def test_nobody_without_an_expert(grid: Any):
    assert person_of(PersonArgs(), grid, STEPWISE).name == "nobody"
    with pytest.raises(BadInput, match="needs --expert"):
        person_of(PersonArgs(person="override"), grid, STEPWISE)


def test_who_suits_algorithm_expert_and_actions(grid: Any, table: Any):
    expert = PersonArgs(expert="scripted")
    assert person_of(expert, grid, STEPWISE).name.startswith("GridExpert, Override(lax=False), delay=0")
    assert person_of(expert, grid, DeepTamerConfig(ctrl_dt=0.5)).name.startswith("trainer by Best, ctrl_dt=0.5")
    assert "Clutch(dead_zone=0.5" in person_of(expert, table, PVPConfig()).name
    assert "Stalled(steps=100)" in person_of(PersonArgs(expert="voxposer"), table, PVPConfig()).name
    assert "by SameWay" in person_of(expert, table, DeepTamerConfig(ctrl_dt=0.05)).name


def test_faults_and_settings_reach_the_person(grid: Any, table: Any):
    lax = PersonArgs(expert="scripted", lax=True, delay=2, lapse=0.1, noise=0.05)
    name = person_of(lax, grid, STEPWISE).name
    assert name == "GridExpert, Override(lax=True), delay=2, lapse=0.1, noise=0.05"
    clutch = PersonArgs(expert="scripted", rule=("dead_zone=0.3", "hand_back=9"))
    assert "Clutch(dead_zone=0.3, patience=2, hand_back=9, least=10, gripper=True)" in (
        person_of(clutch, table, PVPConfig()).name
    )
    stalled = PersonArgs(expert="scripted", person="stalled", rule=("steps=7",))
    assert "Stalled(steps=7)" in person_of(stalled, table, PVPConfig()).name
    trainer = PersonArgs(expert="scripted", person="trainer", rule=("rate=0.3", "delay=0.2,0.6"))
    assert "rate=0.3, delay=(0.2, 0.6)" in person_of(trainer, grid, DeepTamerConfig()).name


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        ({"person": "clutsh"}, "nearest: 'clutch'"),
        ({"person": "stalled", "lax": True}, "--lax"),
        ({"person": "override", "rule": ("steps=3",)}, "no settings but --lax"),
        ({"person": "stalled", "rule": ("step=3",)}, "nearest: 'steps'"),
        ({"person": "stalled", "rule": ("steps=-3",)}, "-3"),
        ({"person": "trainer", "delay": 3}, "never acts"),
        ({"lapse": 1.5}, "lapse=1.5"),
        ({"expert": "random"}, "random here cannot"),
        ({"expert": "voxposer"}, "this environment has none"),
        ({"expert": "nobody"}, "unknown policy"),
    ],
)
def test_flags_that_do_not_go_together(grid: Any, flags: dict[str, Any], named: str):
    with pytest.raises((BadInput, UnknownName), match=named):
        person_of(PersonArgs(**({"expert": "scripted"} | flags)), grid, STEPWISE)
