import numpy as np

from valuefield.envs.perception.tracking import Sight, Tracker

BLOCK = ("block", "")


def sight(x, score, camera="front", key=BLOCK):
    """Something 4 cm wide at `x` m; its mask is one pixel that tells it from the others."""
    mask = np.zeros(100, dtype=bool)
    mask[round(50 + 10 * x)] = True
    return Sight(key, camera, score, mask, np.array([[x - 0.02, -0.02, 0.0], [x + 0.02, 0.02, 0.04]]))


def places(masks, key=BLOCK):
    return {camera: (int(np.flatnonzero(mask)[0]) - 50) / 10 for camera, mask in masks.get(key, {}).items()}


def test_at_first_the_best_sight_decides_for_all_cameras():
    sights = [sight(0.5, 0.6), sight(1.0, 0.9, "top"), sight(1.0, 0.4), sight(0.5, 0.8, "top")]
    assert places(Tracker().choose(sights)) == {"top": 1.0, "front": 1.0}


def test_a_name_stays_with_its_thing_when_another_scores_better():
    tracker = Tracker()
    tracker.choose([sight(0.5, 0.9)])
    assert places(tracker.choose([sight(0.54, 0.3), sight(1.0, 0.9)])) == {"front": 0.5}
    assert places(tracker.choose([sight(0.6, 0.3), sight(1.0, 0.9)])) == {"front": 0.6}  # it may wander


def test_a_name_whose_thing_is_gone_goes_to_the_best_sight():
    tracker = Tracker()
    tracker.choose([sight(0.5, 0.9)])
    assert places(tracker.choose([sight(1.5, 0.3), sight(1.0, 0.8)])) == {"front": 1.0}


def test_a_name_that_is_not_seen_for_a_while_keeps_its_place():
    tracker = Tracker()
    tracker.choose([sight(0.5, 0.9)])
    assert tracker.choose([]) == {}
    assert places(tracker.choose([sight(1.0, 0.9), sight(0.5, 0.3)])) == {"front": 0.5}


def test_names_do_not_mind_each_other():
    lid = ("pot", "lid")
    masks = Tracker().choose([sight(0.5, 0.9), sight(1.0, 0.4, key=lid), sight(0.5, 0.3, key=lid)])
    assert (places(masks), places(masks, lid)) == ({"front": 0.5}, {"front": 1.0})
