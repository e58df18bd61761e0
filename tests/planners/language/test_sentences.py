"""The language measure: what 190 sentences, written down before the grammar, make the arm do."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from valuefield.planners.language.programs import LanguagePrograms
from valuefield.planners.language.rules import RulesModel
from valuefield.robots.errors import InstructionRefused, ValuefieldError
from valuefield.robots.geometry import rotate

CORPUS = tomllib.loads((Path(__file__).parent / "sentences.toml").read_text())
UNDERSTOOD = [(group, each) for group in CORPUS["understood"] for each in group["sentences"]]
REFUSED = [(group, each) for group in CORPUS["refused"] for each in group["sentences"]]


class Judge:
    """Plans and composes a sentence, moving the tool from goal to goal, and compares each sub-goal with its meaning."""

    def __init__(self, make_scene, names):
        self.make_scene, self.names = make_scene, names
        self.programs = LanguagePrograms(RulesModel())
        self.opened = {"top drawer": 0.1, "middle drawer": 0.12, "bottom drawer": 0.14}
        self.tool = np.array([0.35, 0.0, 0.45])

    def scene(self):
        return self.make_scene(self.names, tool=tuple(self.tool), opened=self.opened)

    def subgoals(self, sentence):
        for text in self.programs.plan(sentence, self.scene()):
            yield from self.programs.compose(text, self.scene())

    def wrong(self, sentence, expected):
        """None if the sentence means what is expected, else what it means instead."""
        done = []
        for subgoal, meaning in zip(self.subgoals(sentence), [*expected, *[None] * 20], strict=False):
            scene = self.scene()
            maps = subgoal.maps(scene)
            goal = None if maps.goal is None else best_point(maps.goal)
            done.append(subgoal.text)
            if meaning is None or not self.means(subgoal, maps, goal, scene, meaning):
                return f"{done} where {meaning!r} was meant"
            if goal is not None and subgoal.movable == "gripper":
                self.tool = goal
        return None if len(done) == len(expected) else f"only {done}"

    def means(self, subgoal, maps, goal, scene, meaning):
        meaning, avoid = cut(meaning, " avoid ")
        meaning, speed = cut(meaning, " speed ")
        if (maps.speed is None) != (speed is None) or (maps.cost is None) != (avoid is None):
            return False
        if speed is not None and maps.speed.at(self.index(self.tool))[0] != float(speed):
            return False
        if avoid is not None and not maps.cost[tuple(self.index(scene.find(avoid).center)[0])] > 0:
            return False
        kind, _, rest = meaning.partition(" ")
        return getattr(self, f"is_{kind}")(subgoal, maps, goal, scene, rest)

    def index(self, point):
        return self.programs.grid.to_index(point)[None]

    def fingers(self, maps, point):
        return None if maps.gripper is None else maps.gripper.at(self.index(point))[0, 0]

    def approach(self, maps, goal):
        return rotate(maps.rotation.at(self.index(goal))[0], np.array([0.0, 0, 1]))

    def by_gripper(self, subgoal, maps, goal, at, fingers):
        moved = subgoal.movable == "gripper" and goal is not None and np.allclose(goal, at, atol=0.006)
        return moved and (fingers is None or self.fingers(maps, goal) == fingers)

    def is_grasp(self, subgoal, maps, goal, scene, name):
        at = scene.find(name).center
        opens = maps.gripper is not None and self.fingers(maps, at + np.array([0, 0, 0.05])) == 1
        return self.by_gripper(subgoal, maps, goal, at, 0) and opens and maps.rotation is not None

    def is_retreat(self, subgoal, maps, goal, scene, rest):
        cm, name = rest.split(" ", 1)
        at = self.tool + float(cm) / 100 * scene.find(name).normal
        return self.by_gripper(subgoal, maps, goal, at, 0) and maps.rotation is None

    def is_close(self, subgoal, maps, goal, scene, rest):
        return subgoal.movable == "gripper" and goal is None and self.fingers(maps, self.tool) == 0

    def is_open(self, subgoal, maps, goal, scene, rest):
        return subgoal.movable == "gripper" and goal is None and self.fingers(maps, self.tool) == 1

    def is_front(self, subgoal, maps, goal, scene, rest):
        cm, name = rest.split(" ", 1)
        thing = scene.find(name)
        at = thing.center + float(cm) / 100 * thing.normal
        return self.by_gripper(subgoal, maps, goal, at, 0) and self.approach(maps, goal) @ thing.normal < -0.99

    def is_shut(self, subgoal, maps, goal, scene, name):
        at = scene.find(f"{name} handle").center - self.opened[name] * scene.find(name).normal
        return (
            self.by_gripper(subgoal, maps, goal, at, 0) and self.approach(maps, goal) @ scene.find(name).normal < -0.99
        )

    def is_press(self, subgoal, maps, goal, scene, name):
        thing = scene.find(name)
        at = [*thing.center[:2], thing.aabb[1][2] - 0.015]
        return self.by_gripper(subgoal, maps, goal, at, 0) and self.approach(maps, goal)[2] < -0.99

    def is_above(self, subgoal, maps, goal, scene, rest):
        cm, name = rest.split(" ", 1)
        thing = scene.find(name)
        return self.by_gripper(subgoal, maps, goal, [*thing.center[:2], thing.aabb[1][2] + float(cm) / 100], 0)

    def is_push(self, subgoal, maps, goal, scene, rest):
        name, area = rest.split(" to ")
        return subgoal.movable == name and np.allclose(goal, scene.find(area).center, atol=0.006)

    def is_center(self, subgoal, maps, goal, scene, name):
        return self.by_gripper(subgoal, maps, goal, scene.find(name).center, 0)

    def is_lift(self, subgoal, maps, goal, scene, cm):
        return self.by_gripper(subgoal, maps, goal, self.tool + np.array([0, 0, float(cm) / 100]), 0)


def cut(text, sign):
    before, _, after = text.partition(sign)
    return before, after or None


def best_point(goal):
    nodes = np.argwhere(goal.values == goal.values.max())
    assert len(nodes) == 1, "these sub-goals have one best point"
    return goal.grid.to_world(goal.exact(nodes[0]))


def outcome(make_scene, group, sentence):
    try:
        return Judge(make_scene, group["objects"]).wrong(sentence["say"], sentence["expect"])
    except ValuefieldError as error:
        return f"{type(error).__name__}: {error}"


def test_there_are_150_sentences_and_40_to_refuse():
    assert (len(UNDERSTOOD), len(REFUSED)) == (150, 40)
    said = [each["say"] for _, each in UNDERSTOOD + REFUSED]
    assert len(set(said)) == len(said)


def test_at_least_80_percent_give_the_right_subgoals(make_scene):
    wrong = {each["say"]: why for group, each in UNDERSTOOD if (why := outcome(make_scene, group, each)) is not None}
    print(f"\nright: {len(UNDERSTOOD) - len(wrong)} of {len(UNDERSTOOD)}")
    for sentence, why in wrong.items():
        print(f"  {sentence!r}: {why}")
    assert len(wrong) <= 0.2 * len(UNDERSTOOD)
    moved = [sentence for sentence, why in wrong.items() if not why.startswith(("InstructionRefused", "ProgramError"))]
    assert not moved, "what is not understood is refused, not done wrongly"


@pytest.mark.parametrize(("group", "sentence"), REFUSED, ids=[each["say"] or "empty" for _, each in REFUSED])
def test_what_must_be_refused_gives_no_motion(make_scene, group, sentence):
    with pytest.raises(InstructionRefused) as refusal:
        list(Judge(make_scene, group["objects"]).subgoals(sentence["say"]))
    assert len(str(refusal.value)) > 20
    assert "\n" not in str(refusal.value)
