import numpy as np
import pytest

from valuefield.envs.perception.detector import DETECTORS, OracleDetector, check_detector
from valuefield.robots.cameras.camera import Frame
from valuefield.robots.errors import BadInput, UnknownName


def frame(seg):
    shape = np.shape(seg) or (1, 1)
    return Frame(np.zeros((*shape, 3), np.uint8), np.ones(shape, np.float32), seg, np.eye(4), np.eye(3), 0.0)


def test_ids_become_masks_of_their_names():
    oracle = OracleDetector({4: ("bin", ""), 7: ("drawer", "handle"), 9: ("bin", "")})
    masks = oracle.detect({"front": frame(np.array([[4, 9, 7], [-1, 5, 4]], np.int32))})
    assert list(masks) == [("bin", ""), ("drawer", "handle")]
    assert masks["bin", ""]["front"].tolist() == [[True, True, False], [False, False, True]]
    assert masks["drawer", "handle"]["front"].tolist() == [[False, False, True], [False, False, False]]


def test_ids_that_nobody_named_are_nothing():
    oracle = OracleDetector({0: ("bin", "")})
    assert oracle.detect({"front": frame(np.array([[-1, 1, 2**30]], np.int32))}) == {}


def test_the_table_is_no_thing():
    oracle = OracleDetector({0: ("table", ""), 1: ("bin", ""), 2: ("floor", ""), 3: ("", "")})
    assert oracle.vocabulary == (("bin", ""),)
    assert list(oracle.detect({"front": frame(np.array([[0, 1, 2, 3]], np.int32))})) == [("bin", "")]


def test_a_picture_without_segmentation_is_refused():
    with pytest.raises(BadInput, match="seg/overhead"):
        OracleDetector({1: ("bin", "")}).detect({"overhead": frame(None)})


@pytest.mark.parametrize("objects", [{}, {-1: ("bin", "")}])
def test_ids_that_cannot_be(objects):
    with pytest.raises(BadInput, match="ids >= 0"):
        OracleDetector(objects)


def test_names_of_detectors():
    assert [check_detector(name) for name in DETECTORS] == list(DETECTORS)
    with pytest.raises(UnknownName, match="nearest: 'oracle'"):
        check_detector("orakle")
