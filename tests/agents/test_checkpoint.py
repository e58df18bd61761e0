"""Checkpoints: what is written is read back, whoever dies leaves a whole one, and spaces survive as JSON."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Dict, Discrete, Text
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from valuefield.agents import checkpoint
from valuefield.agents.checkpoint import PolicyHeader, latest, read_policy, save
from valuefield.agents.load import load_agent
from valuefield.agents.pvp import DiscretePVP, DiscretePVPConfig
from valuefield.agents.spaces import difference, space_from_json, space_to_json
from valuefield.envs.policy_env import Recipe
from valuefield.robots.errors import BadInput, UnknownName

SEES, ACTS = Box(-1, 1, (3,), np.float32), Discrete(2)
CONFIG = DiscretePVPConfig(hidden=(8,), average_from=5)


def header(step: int) -> PolicyHeader:
    return PolicyHeader("pvp", asdict(CONFIG), SEES, ACTS, Recipe("CartPole-v1"), 0.05, step)


def kept(folder: Path, step: int, *, whole: bool = True) -> Path:
    state = {"weight": torch.full((2,), float(step)), "updates": torch.tensor(step)}
    rest = ({"rows": torch.zeros(4, 2, dtype=torch.uint8)}, {"counters": {"steps": step}, "identity": {}})
    return save(folder, header(step), state, rest if whole else None)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_is_saved_is_read_back(tmp_path: Path):
    path = kept(tmp_path, 7)
    assert names(path) == ["policy.json", "policy.safetensors", "training.json", "training.safetensors"]
    for place in (tmp_path, path, path / "policy.json"):
        found, state = read_policy(place)
        assert replace(found, config={}) == replace(header(7), config={})
        assert state["weight"].tolist() == [7.0, 7.0]
    values = json.loads((path / "policy.json").read_text())
    assert set(values["versions"]) == {"valuefield", "torch"}


def test_a_run_is_its_newest_checkpoint(tmp_path: Path):
    kept(tmp_path / "checkpoints", 7)
    kept(tmp_path / "checkpoints", 9, whole=False)
    assert latest(tmp_path).name == "000000009"
    assert latest(tmp_path, resumable=True).name == "000000007"


def test_a_newer_one_replaces_what_it_can_stand_for(tmp_path: Path):
    kept(tmp_path, 7)
    kept(tmp_path, 9, whole=False)
    assert names(tmp_path) == ["000000007", "000000009"]  # the policy alone does not replace what can be resumed
    kept(tmp_path, 11)
    assert names(tmp_path) == ["000000011"]


def test_dying_at_any_moment_leaves_the_last_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    good = kept(tmp_path, 7)

    class Died(BaseException):
        """As a kill would."""

    def dying(times: int, call: Any) -> Any:
        left = iter(range(times))

        def each(*args: Any, **kwargs: Any) -> Any:
            if next(left, None) is None:
                raise Died
            return call(*args, **kwargs)

        return each

    for target, name, most in ((checkpoint, "_write", 2), (checkpoint, "_sync", 2), (Path, "rename", 1)):
        for times in range(most):
            with monkeypatch.context() as patched:
                patched.setattr(target, name, dying(times, getattr(target, name)))
                with pytest.raises(Died):
                    kept(tmp_path, 9)
            assert latest(tmp_path, resumable=True) in (good, tmp_path / "000000009")
            assert read_policy(tmp_path)[1]["weight"].isfinite().all()
            shutil.rmtree(tmp_path / "000000009", ignore_errors=True)
    assert kept(tmp_path, 10).exists()
    assert names(tmp_path) == ["000000010"]


def test_an_agent_comes_back_as_it_was_and_goes_on_alike(tmp_path: Path):
    first = DiscretePVP(SEES, ACTS, CONFIG, seed=3)
    batch = _batch(16)
    for _ in range(6):
        first.update(batch)
    path = save(tmp_path, header(6), first.state_dict(), None)
    second = load_agent(path, _Env(SEES, ACTS))  # type: ignore[arg-type]
    assert second.config == CONFIG
    obs = np.random.default_rng(0).uniform(-1, 1, (50, 3)).astype(np.float32)
    assert second.averaged
    np.testing.assert_array_equal(first.act(obs), second.act(obs))
    for agent in (first, second):
        agent.update(batch)
    mine, theirs = first.state_dict(), second.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)


def _batch(n: int) -> Any:
    draw = np.random.default_rng(1)
    flags = {name: torch.zeros(n, dtype=torch.bool) for name in ("approved", "truncated", "takeover_start")}
    actions = {name: torch.as_tensor(draw.integers(2, size=n)) for name in ("action", "policy_action")}
    sides = {name: torch.as_tensor(draw.uniform(-1, 1, (n, 3)).astype(np.float32)) for name in ("obs", "next_obs")}
    ends = torch.as_tensor(draw.uniform(size=n) < 0.2)
    return {**sides, **actions, **flags, "intervened": ~ends, "terminated": ends, "reward": torch.zeros(n)}


class _Env:
    def __init__(self, sees: Any, acts: Any) -> None:
        self.observation_space, self.action_space = sees, acts


@pytest.mark.parametrize(
    ("sees", "acts", "said"),
    [
        (Box(-1, 1, (4,), np.float32), ACTS, r"observation space .*\(3,\).*not Box\(-1.0, 1.0, \(4,\)"),
        (SEES, Discrete(3), r"action space .*Discrete\(2\), not Discrete\(3\)"),
    ],
)
def test_other_spaces_are_refused_naming_both(tmp_path: Path, sees: Any, acts: Any, said: str):
    save(tmp_path, header(6), DiscretePVP(SEES, ACTS, CONFIG).state_dict(), None)
    with pytest.raises(BadInput, match=said):
        load_agent(tmp_path, _Env(sees, acts))  # type: ignore[arg-type]


def _edited(path: Path, **changes: Any) -> None:
    values = json.loads(path.read_text())
    path.write_text(json.dumps(values | changes))


def test_what_is_no_checkpoint_is_refused_in_words(tmp_path: Path):
    agent = DiscretePVP(SEES, ACTS, CONFIG)
    env: Any = _Env(SEES, ACTS)
    with pytest.raises(BadInput, match="does not exist"):
        read_policy(tmp_path / "absent")
    with pytest.raises(BadInput, match="has no checkpoint"):
        read_policy(tmp_path)
    path = save(tmp_path, header(1), agent.state_dict(), None)
    with pytest.raises(BadInput, match="to resume from"):
        latest(path, resumable=True)
    file, tensors = path / "policy.json", path / "policy.safetensors"
    whole = file.read_text()
    _edited(file, config=asdict(CONFIG) | {"hiden": [8]})
    with pytest.raises(UnknownName, match="nearest: 'hidden'"):
        load_agent(path, env)
    file.write_text(whole)
    _edited(file, schema=99)
    with pytest.raises(BadInput, match="schema 99"):
        read_policy(path)
    file.write_text(whole[:200])
    with pytest.raises(BadInput, match="not a whole checkpoint"):
        read_policy(path)
    file.write_text(whole)
    tensors.write_bytes(tensors.read_bytes()[:100])
    with pytest.raises(BadInput, match="not a whole checkpoint"):
        read_policy(path)


shapes = array_shapes(min_dims=0, max_dims=3, max_side=3)
bounds = shapes.flatmap(
    lambda shape: st.tuples(
        arrays(np.float32, shape, elements=st.floats(-5, 0, width=32) | st.just(-np.inf)),
        arrays(np.float32, shape, elements=st.floats(0, 5, width=32) | st.just(np.inf)),
    )
)
boxes = bounds.map(lambda each: Box(each[0], each[1], dtype=np.float32))
spaces = boxes | st.integers(1, 9).map(lambda n: Discrete(n, start=n)) | st.just(Box(0, 255, (4, 4, 3), np.uint8))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.text("abc/", min_size=1, max_size=3), spaces, min_size=1, max_size=3).map(Dict) | spaces)
def test_a_space_survives_json(space: Any):
    again = space_from_json(json.loads(json.dumps(space_to_json(space))))
    assert again == space
    assert difference(space, again) == ""


def test_spaces_that_no_policy_takes():
    with pytest.raises(BadInput, match="Text"):
        space_to_json(Text(5))
    with pytest.raises(BadInput, match="kind"):
        space_from_json({"kind": "sphere"})
    with pytest.raises(BadInput, match="is not a space"):
        space_from_json({"kind": "box", "shape": [2]})


def test_a_difference_names_the_keys_that_differ():
    one = Dict({"tool": SEES, "same": SEES})
    two = Dict({"tool": Box(-1, 1, (4,), np.float32), "same": SEES, "more": ACTS})
    said = difference(one, two)
    assert said.startswith("tool: Box(")
    assert "more: nothing, not Discrete(2)" in said
    assert "same" not in said
