import numpy as np
import pytest

from valuefield.planners.greedy import (
    MAX_STEPS,
    Stages,
    arrived,
    cut_at_curves,
    descend,
    greedy,
    neighbours,
    normalised,
    smoothed,
    thinned,
)
from valuefield.planners.greedy_step import FullMaps, cleared, last_gripper, release_step, voxelised

SHAPE = (40, 40, 40)


def target_at(*nodes: tuple[int, int, int]) -> np.ndarray:
    target = np.zeros(SHAPE)
    for node in nodes:
        target[node] = 1
    return target


def test_normalising() -> None:
    assert normalised(np.array([2.0, 4.0, 3.0])).tolist() == [0, 1, 0.5]
    assert normalised(np.zeros(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(("place", "count"), [((20, 20, 20), 124), ((0, 0, 0), 26), ((20, 20, 39), 74)])
def test_the_neighbourhood_is_five_wide_and_clipped(place: tuple[int, int, int], count: int) -> None:
    around = neighbours(np.array(place), SHAPE)
    assert len(around) == len(np.unique(around, axis=0)) == count
    assert np.abs(around - place).max() == 2
    assert not (around == place).all(axis=1).any()


def test_in_free_space_it_ends_on_the_target() -> None:
    found = greedy(np.array([5, 5, 5]), target_at((30, 25, 20)), np.zeros(SHAPE), Stages())
    assert found.missed == 0
    assert found.path[-1].tolist() == [30, 25, 20]
    assert np.linalg.norm(found.path[0] - 5) < 1


def test_it_hops_over_a_thin_wall_without_looking() -> None:
    obstacles = np.zeros(SHAPE)
    obstacles[18] = 1
    path = greedy(np.array([5, 20, 20]), target_at((32, 20, 20)), obstacles, Stages()).path
    assert path[0, 0] < 18 < path[-1, 0]


def test_inside_an_area_of_targets_it_never_stops_by_itself() -> None:
    target = np.zeros(SHAPE)
    target[20:30, 20:30, 20:30] = 1
    stages = Stages()
    greedy(np.array([5, 5, 5]), target, np.zeros(SHAPE), stages)
    assert stages.runs["step"] == stages.runs["stop test"] == MAX_STEPS
    assert stages.ms["stop test"] > 0


def test_a_graded_goal_is_not_seen() -> None:
    target = target_at((30, 30, 30))
    target[6, 6, 6] = 0.5
    found = greedy(np.array([5, 5, 5]), target, np.zeros(SHAPE), Stages())
    assert np.linalg.norm(found.path[-1] - 30) < 1


def test_the_place_left_is_raised_and_not_the_one_reached() -> None:
    costs = np.ones(SHAPE)
    costs[10, 10, 12] = 0.5
    path = descend(np.array([10, 10, 10]), costs, Stages())
    assert path[1].tolist() == [10, 10, 12]
    assert len(path) == 2
    assert costs[10, 10, 10] == 1


def test_not_a_number_in_the_costs_is_noticed() -> None:
    costs = np.ones(SHAPE)
    costs[39, 39, 39] = np.nan
    with pytest.raises(FloatingPointError):
        arrived(np.array([1, 1, 1]), costs)


def test_post_processing() -> None:
    line = np.stack([np.arange(30.0), np.zeros(30), np.zeros(30)], axis=1)
    assert np.allclose(smoothed(line), line, atol=0.51)  # an even window is off by half a sample
    assert np.array_equal(smoothed(line[:3]), line[:3])
    assert np.array_equal(cut_at_curves(line), line)
    assert len(thinned(line / 4)) == 9
    assert np.array_equal(thinned(line * 3), line * 3)
    zigzag = line.copy()
    zigzag[20:, 0] = 40 - zigzag[20:, 0]
    zigzag[20:, 1] = 0.01
    assert len(cut_at_curves(zigzag)) == int(0.9 * 20)


def test_the_last_gripper_value_is_the_rare_one_nearby() -> None:
    gripper = np.ones(SHAPE)
    assert last_gripper(np.array([5.0, 5, 5]), gripper, 1.0) == 1.0
    gripper[5, 5, 8] = 0
    assert last_gripper(np.array([5.0, 5, 5]), gripper, 1.0) == 0.0
    assert last_gripper(np.array([5.0, 5, 4.9]), gripper, 1.0) == 1.0


def test_a_whole_step_goes_from_points_to_a_waypoint() -> None:
    rng = np.random.default_rng(0)
    cloud = np.append(rng.uniform(0, 99, (500, 2)), np.zeros((500, 1)), axis=1)
    stages = Stages()
    waypoint = release_step(cloud, np.array([10, 10, 30]), np.array([80, 70, 40]), stages)
    assert waypoint.shape == (9,)
    assert np.linalg.norm(waypoint[:3] - (80, 70, 40)) < np.linalg.norm(np.array([70, 60, 10]))
    assert waypoint[3:].tolist() == [0, 1, 0, 0, 1, 1]
    assert {"voxelise", "clear", "read maps", "finish test", "Gaussian"} <= set(stages.ms)
    assert voxelised(cloud).sum() == len(np.unique(np.rint(cloud), axis=0))


def test_obstacles_next_to_goal_and_start_are_cleared() -> None:
    zeros = np.zeros((100, 100, 100))
    goal = zeros.copy()
    goal[50, 50, 50] = 1
    cost = cleared(FullMaps(goal, zeros, zeros, zeros, zeros), np.ones_like(zeros), np.array([4, 90, 90]))
    assert cost[50, 50, 36] == 0
    assert cost[50, 50, 35] == 1
    assert not cost[:14, 80:, 80:].any()
    assert cost[14, 90, 90] == cost[4, 79, 90] == 1
