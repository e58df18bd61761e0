from collections import deque

import numpy as np
import pytest

from valuefield.envs.minigrid import make
from valuefield.envs.minigrid_expert import PREFERENCE, GridExpert
from valuefield.robots.errors import BadInput, PlannerError

TASKS = [
    "MiniGrid-Empty-6x6-v0",
    "MiniGrid-Empty-Random-6x6-v0",
    "MiniGrid-MultiRoom-N2-S4-v0",
    "MiniGrid-MultiRoom-N4-S5-v0",
    "MiniGrid-MultiRoom-N4-S5-v1",
    "MiniGrid-FourRooms-v0",
    "MiniGrid-LavaCrossingS9N2-v0",
]
LEFT, RIGHT, FORWARD, PICKUP, DROP, TOGGLE, DONE = range(7)


def begin(env_id, seed):
    env = make(env_id)
    obs, info = env.reset(seed=seed)
    expert = GridExpert(env)
    expert.reset(obs, info)
    return env, expert, obs


def corridor(facing, *, door_open=False):
    """A corridor from x = 1 to the goal at x = 4, a door at x = 3; the agent is at x = 1."""
    from minigrid.core.grid import Grid
    from minigrid.core.world_object import Door, Goal

    env, expert, obs = begin("MiniGrid-Empty-6x6-v0", 0)
    base = env.unwrapped
    grid = Grid(6, 3)
    grid.wall_rect(0, 0, 6, 3)
    grid.set(3, 1, Door("red", is_open=door_open))
    grid.set(4, 1, Goal())
    base.grid, base.agent_pos, base.agent_dir = grid, (1, 1), facing
    return env, expert, obs


def test_costs_of_a_corridor_with_a_closed_door_worked_out_by_hand():
    env, expert, obs = corridor(facing=0)
    # forward, toggle, forward, forward are 4: 3 are left after the first of them, 4 after what changes nothing
    assert expert.costs(obs).tolist() == [5, 5, 3, 4, 4, 4, 4]
    env.step(FORWARD)
    assert expert.costs(obs).tolist() == [4, 4, 3, 3, 3, 2, 3]  # the door stops a step; it wants a toggle
    env.step(TOGGLE)
    assert expert.costs(obs).tolist() == [3, 3, 1, 2, 2, 3, 2]  # closing it again would cost a toggle more
    env.step(FORWARD)
    assert expert.costs(obs)[FORWARD] == 0


def test_costs_with_the_door_open_and_the_back_to_the_goal():
    _, expert, obs = corridor(facing=2, door_open=True)
    assert expert.costs(obs).tolist() == [4, 4, 5, 5, 5, 5, 5]
    assert expert.act(obs) == RIGHT  # both turns are as good: always the same


@pytest.mark.parametrize("env_id", TASKS)
def test_every_episode_is_solved_in_as_many_steps_as_were_foretold(env_id):
    env = make(env_id)
    expert = GridExpert(env)
    for seed in range(50):
        obs, info = env.reset(seed=seed)
        expert.reset(obs, info)
        steps, terminated, truncated = 0, False, False
        foretold = expert.costs(obs).min() + 1
        while not terminated and not truncated:
            obs, _, terminated, truncated, info = env.step(expert.act(obs))
            steps += 1
        assert info["success"] and steps == foretold


@pytest.mark.parametrize("seed", range(5))
def test_each_cost_is_what_the_environment_itself_takes(seed):
    env, expert, obs = begin("MiniGrid-MultiRoom-N2-S4-v0", seed)
    rng = np.random.default_rng(seed)
    for _ in range(15):
        costs = expert.costs(obs)
        for action in range(7):
            assert costs[action] == shortest(env.unwrapped, action)
        obs, _, terminated, _, _ = env.step(int(rng.integers(7)))
        if terminated:
            break


def shortest(base, first):
    """Steps to the goal after `first`, by trying everything in the simulator itself, breadth first."""
    start = state(base)
    queue, known = deque([(start, first, 0)]), set()
    while queue:
        here, action, steps = queue.popleft()
        restore(base, here)
        _, reward, terminated, _, _ = base.step(action)
        after = state(base)
        if reward > 0:
            restore(base, start)
            return steps
        if not terminated and after not in known:
            known.add(after)
            queue.extend((after, each, steps + 1) for each in (LEFT, RIGHT, FORWARD, TOGGLE))
    restore(base, start)
    return np.inf


def state(base):
    doors = tuple((i, thing.is_open) for i, thing in enumerate(base.grid.grid) if thing and thing.type == "door")
    return tuple(int(k) for k in base.agent_pos), int(base.agent_dir), doors


def restore(base, wanted):
    base.agent_pos, base.agent_dir, doors = wanted
    base.step_count = 0
    for i, is_open in doors:
        base.grid.grid[i].is_open = is_open


def test_lava_ahead_is_the_end():
    env, expert, obs = begin("MiniGrid-LavaGapS5-v0", 0)
    base = env.unwrapped
    lava = next(i for i, thing in enumerate(base.grid.grid) if thing is not None and thing.type == "lava")
    x, y = lava % base.grid.width, lava // base.grid.width
    base.agent_pos, base.agent_dir = (x - 1, y), 0
    costs = expert.costs(obs)
    assert np.isinf(costs[FORWARD]) and np.isfinite(costs[LEFT])
    assert expert.act(obs) != FORWARD


def test_a_goal_behind_walls_costs_infinitely_much_and_cannot_be_acted_for():
    from minigrid.core.world_object import Wall

    env, expert, obs = corridor(facing=0)
    env.unwrapped.grid.set(3, 1, Wall())
    expert = GridExpert(env)
    assert np.isinf(expert.costs(obs)).all()
    with pytest.raises(PlannerError, match=r"\(1, 1, 0\)"):
        expert.act(obs)


def test_a_new_layout_is_noticed_without_being_told():
    env, expert, obs = begin("MiniGrid-MultiRoom-N2-S4-v0", 0)
    other, fresh, _ = begin("MiniGrid-MultiRoom-N2-S4-v0", 1)
    obs, _ = env.reset(seed=1)
    np.testing.assert_array_equal(expert.costs(obs), fresh.costs(obs))
    assert other.unwrapped.agent_pos == env.unwrapped.agent_pos


def test_a_layout_is_searched_once_for_each_set_of_closed_doors(monkeypatch):
    from valuefield.envs import minigrid_expert

    env, expert, obs = begin("MiniGrid-MultiRoom-N4-S5-v1", 0)
    searches = []
    real = minigrid_expert.search
    monkeypatch.setattr(minigrid_expert, "search", lambda *args: searches.append(args[1]) or real(*args))
    terminated = False
    while not terminated:
        for _ in range(3):
            expert.costs(obs)
        obs, _, terminated, _, _ = env.step(expert.act(obs))
    assert (
        len(searches) == len(set(searches)) <= 7
    )  # four or fewer ways the three doors stood, and one toggled from each


@pytest.mark.parametrize(
    ("env_id", "what"),
    [
        ("MiniGrid-DoorKey-5x5-v0", "key|locked door"),
        ("MiniGrid-Unlock-v0", "key|locked door"),
        ("MiniGrid-Dynamic-Obstacles-5x5-v0", "ball"),
        ("MiniGrid-ObstructedMaze-1Dlhb-v0", "box|ball|locked door"),
        ("MiniGrid-RedBlueDoors-6x6-v0", "no goal"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(env_id, what):
    env = make(env_id)
    obs, info = env.reset(seed=0)
    with pytest.raises(BadInput, match=what):
        GridExpert(env).reset(obs, info)


def test_another_kind_of_environment_is_refused():
    import gymnasium

    with pytest.raises(BadInput, match="CartPole"):
        GridExpert(gymnasium.make("CartPole-v1"))


def test_the_preference_covers_every_action_that_can_be_of_use():
    assert sorted(PREFERENCE) == [LEFT, RIGHT, FORWARD, TOGGLE]
