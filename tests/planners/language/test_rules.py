"""The offline grammar: what it makes of words that the corpus of sentences does not have, and how it refuses."""

import time

import numpy as np
import pytest

from valuefield.planners.language.programs import LanguagePrograms
from valuefield.planners.language.prompt import LMPS, load
from valuefield.planners.language.rules import RulesModel, plan
from valuefield.robots.errors import InstructionRefused, ProgramError

DRAWERS = ["cabinet", "bottom drawer", "bottom drawer handle", "top drawer", "top drawer handle"]
BUTTONS = ["red button", "green button", "blue button"]
THINGS = ["mug", "plate", "red block", "tomato 1", "tomato 2", "bin"]


def steps(sentence, names):
    return [line.removeprefix('composer("').removesuffix('")') for line in plan(sentence, names).splitlines()[:-1]]


def press(*colors):
    return [
        step
        for color in colors
        for step in (f"press the {color} button", f"move to 8cm above the {color} button with the gripper closed")
    ]


@pytest.mark.parametrize(
    ("sentence", "colors"),
    [
        ("press red, then green", ["red", "green"]),
        ("press blue after red", ["red", "blue"]),
        ("push the green button after pressing the red one", ["red", "green"]),
        ("press all the buttons", ["red", "green", "blue"]),
        ("press the green button and the red button", ["green", "red"]),
    ],
)
def test_several_are_done_in_their_order(sentence, colors):
    assert steps(sentence, BUTTONS) == press(*colors)


def test_a_hand_that_is_full_lets_go_before_something_else():
    doing = steps("open the top drawer and then the bottom drawer", DRAWERS)
    assert doing.index("open the gripper") == 2
    assert doing[3] == "grasp the bottom drawer handle"


def test_what_was_spoken_of_is_the_one_that_is_meant():
    assert steps("grab hold of the top drawer's handle and open the drawer", DRAWERS)[1].startswith(
        "move away from the top drawer"
    )
    assert steps("pick up the mug and put it on the plate", THINGS) == [
        "grasp the mug",
        "move to where the mug rests on the plate",
        "open the gripper",
    ]


def test_manner_holds_for_every_step_that_moves():
    doing = steps("slowly put the mug in the bin, avoiding the tomatoes", THINGS)
    manner = ", at 0.5x speed, staying 10cm away from the tomato 1 and the tomato 2"
    assert doing == [
        f"grasp the mug{manner}",
        f"move to 12cm above the bin while holding the mug{manner}",
        "open the gripper",
    ]


@pytest.mark.parametrize(
    ("words", "factor"),
    [
        ("slowly", 0.5),
        ("at half speed", 0.5),
        ("at a quarter of the speed", 0.25),
        ("at three quarters of your normal speed", 0.75),
        ("quickly", 1.5),
        ("at 0.3x speed", 0.3),
        ("at 2 times the speed", 2.0),
    ],
)
def test_speeds_have_factors(words, factor):
    assert steps(f"go to the mug {words}", THINGS) == [f"move to the center of the mug, at {factor:g}x speed"]


@pytest.mark.parametrize(
    ("length", "cm"),
    [("12 cm", 12), ("0.12 m", 12), ("120 mm", 12), ("five inches", 12.7), ("ten centimetres", 10), ("2 inches", 5.08)],
)
def test_lengths_have_units(length, cm):
    assert steps(f"lift the mug by {length}", THINGS)[1] == f"lift the gripper by {cm:g}cm while holding the mug"


def goal(make_scene, text, names):
    scene = make_scene(names)
    [subgoal] = LanguagePrograms(RulesModel()).compose(text, scene)
    values = subgoal.maps(scene).goal
    nodes = np.argwhere(values.values == values.values.max())
    return scene.find(names[0]), np.array([values.grid.to_world(values.exact(node)) for node in nodes])


@pytest.mark.parametrize(
    ("side", "axis", "sign"),
    [("above", 2, 1), ("to the left of", 1, 1), ("to the right of", 1, -1), ("in front of", 0, 1), ("behind", 0, -1)],
)
def test_sides_are_the_robots_own(make_scene, side, axis, sign):
    thing, [at] = goal(make_scene, f"move to 10cm {side} the tomato 1", ["tomato 1", "mug"])
    expected = thing.center.copy()
    expected[axis] = thing.aabb[(sign + 1) // 2][axis] + sign * 0.1
    np.testing.assert_allclose(at, expected, atol=1e-6)


def test_near_is_around_and_away_is_outside(make_scene):
    thing, near = goal(make_scene, "move to within 10cm of the red block", ["red block"])
    away = np.linalg.norm(near - thing.center, axis=1)
    reach = 0.5 * (thing.aabb[1] - thing.aabb[0]).max()
    assert reach - 0.01 < away.min()
    assert away.max() < reach + 0.11
    _, far = goal(make_scene, "stay 20cm away from the red block", ["red block"])
    assert np.linalg.norm(far - thing.center, axis=1).min() > 0.2


def test_several_things_are_kept_clear(make_scene):
    scene = make_scene(["mug", "tomato 1", "tomato 2"])
    [subgoal] = LanguagePrograms(RulesModel()).compose(
        "grasp the mug, staying 5cm away from the tomato 1 and the tomato 2", scene
    )
    cost = subgoal.maps(scene).cost
    for name in ("tomato 1", "tomato 2"):
        assert cost[tuple(cost.grid.to_index(scene.find(name).center))] > 0
    assert subgoal.targets == ("mug",)


def test_speed_may_hold_only_near_a_thing(make_scene):
    scene = make_scene(["mug", "plate"])
    [text] = steps("go to the mug at half speed when within 5 cm of the plate", scene.names)
    [subgoal] = LanguagePrograms(RulesModel()).compose(text, scene)
    speed = subgoal.maps(scene).speed
    at_plate, at_mug = (speed.grid.to_index(scene.find(name).center) for name in ("plate", "mug"))
    assert speed.at([at_plate, at_mug]).ravel().tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("sentence", "names", "part", "nearest"),
    [
        ("open the fridge", DRAWERS, "no 'fridge' here", "open the top drawer"),
        ("push the purple button", BUTTONS, "'purple button'", "press the"),
        ("don't press the red button", BUTTONS, '"don\'t"', "press the red button"),
        ("do not open the top drawer", DRAWERS, "'not'", "open the top drawer"),
        ("is the top drawer open", DRAWERS, "question", "open the top drawer"),
        ("press the red button twice", BUTTONS, "'twice'", "press the red button"),
        ("press the button", BUTTONS, "red button, green button or blue button", "press the"),
        ("opne the top drawer", DRAWERS, "'opne the top drawer'", "open the top drawer"),
        ("put the mug", THINGS, "ends too soon", "put the mug in the bin"),
        ("close it", DRAWERS, "'it'", "close the"),
        ("put the red block on the red block", THINGS, "itself", "red block"),
        ("go to the mug slowly and quickly", THINGS, "two speeds", "mug"),
        ("drop the tomato into the bin", THINGS, "tomato 1 or tomato 2", "tomato"),
        ("throw away the mug", ["mug", "plate"], "thrown away", "mug"),
    ],
)
def test_a_refusal_names_the_part_and_the_nearest_instruction(sentence, names, part, nearest):
    with pytest.raises(InstructionRefused) as refusal:
        plan(sentence, names)
    assert part in str(refusal.value)
    assert nearest in str(refusal.value).split("nearest instruction: ")[-1]
    assert "\n" not in str(refusal.value)


def test_the_nearest_instruction_is_one_that_is_understood():
    for names in (DRAWERS, BUTTONS, THINGS, ["block", "blue target"], []):
        with pytest.raises(InstructionRefused) as refusal:
            plan("please juggle", names)
        assert steps(str(refusal.value).split("nearest instruction: ")[-1].strip("'"), names)


def test_names_are_used_as_they_are_written():
    assert steps("pick up the big mug", ["Grandma's Mug", "plate"]) == [
        "grasp the Grandma's Mug",
        "lift the gripper by 15cm while holding the Grandma's Mug",
    ]


@pytest.mark.parametrize("name", [name for name in LMPS if name != "planner"])
def test_a_query_that_is_not_understood_is_refused_by_every_program(name):
    with pytest.raises(InstructionRefused, match="understood"):
        RulesModel().complete(load(name).messages("the meaning of life", ["mug"]))


def test_a_conversation_about_another_program_is_no_work_for_the_rules():
    messages = load("planner").messages("open the gripper", [])
    messages[0] = {"role": "system", "content": "# Program: poet\n"}
    with pytest.raises(ProgramError, match="poet"):
        RulesModel().complete(messages)


@pytest.mark.parametrize(
    "sentence",
    [
        "press red, " * 33 + "foo",
        "press red and " * 28 + "foo",
        "red " * 99,
        "press " + "red, and " * 43 + "foo",
        "open the handle" + " of the handle" * 27,
        "open the top drawer" + " in the cabinet" * 24 + " foo",
        "open the top drawer" + " on the table" * 28 + " foo",
        ", and then " * 36,
        "slowly " * 56,
        "please " * 57,
        "it " * 130,
        "pick up it and " * 26,
        "all of the " * 36,
        "9" * 400,
        "'" * 400,
        "\u202e\u0661 \U0001f916 \x00 " * 60,
    ],
)
def test_no_sentence_takes_long(make_scene, sentence):
    scene = make_scene(["cabinet", "top drawer", *BUTTONS])
    began = time.monotonic()
    with pytest.raises(InstructionRefused) as refusal:
        LanguagePrograms(RulesModel()).plan(sentence[:400], scene)
    assert time.monotonic() - began < 2
    assert len(str(refusal.value)) < 1000
