"""IWR: behaviour cloning on batches of which half are the person's rows."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from valuefield.agents.bc import BC, BCConfig
from valuefield.agents.fill import make_replay
from valuefield.agents.iwr import IWR
from valuefield.agents.replay import Transition

OBS, ARM = spaces.Box(-1, 1, (1,), np.float32), spaces.Box(-1, 1, (1,), np.float32)
POLICY, PERSON = np.array([-0.5], np.float32), np.array([0.5], np.float32)


def trained(kind, config) -> float:
    """What it does after 190 rows of one action and 10 of the person's, at one and the same observation."""
    agent = kind(OBS, ARM, config, device="cpu")
    replay = make_replay(agent.config, OBS, ARM, 1000, seed=0)
    seen = np.zeros(1, np.float32)
    for k in range(200):
        human = k % 20 == 0
        action = PERSON if human else POLICY
        replay.add(Transition(seen, action, POLICY, 0.0, seen, False, False, intervened=human))
    for _ in range(300):
        agent.update(replay.sample(128))
    return float(agent.act(seen[None])[0, 0])


def test_the_person_has_half_the_say_and_in_plain_cloning_what_their_rows_make():
    assert abs(trained(IWR, None) - 0.0) < 0.05
    assert abs(trained(BC, BCConfig()) - (10 * 0.5 - 190 * 0.5) / 200) < 0.08
