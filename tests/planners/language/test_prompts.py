import re

import pytest

from valuefield.planners.grid import Grid
from valuefield.planners.language.api import SceneApi
from valuefield.planners.language.budget import Budget
from valuefield.planners.language.composition import Composition, SceneRun
from valuefield.planners.language.interpreter import Program
from valuefield.planners.language.programs import LanguagePrograms
from valuefield.planners.language.prompt import LMPS, asked, load
from valuefield.planners.language.rules import RulesModel
from valuefield.planners.language.scene_values import Body, MapHandle, Observation
from valuefield.planners.language.writer import ProgramWriter
from valuefield.planners.value_map import DenseMap
from valuefield.robots.errors import InstructionRefused, UnknownName

EXAMPLES = [(name, example) for name in LMPS for example in load(name).examples]


def each(name):
    return [pytest.param(example, id=example.query) for owner, example in EXAMPLES if owner == name]


def scene_run(make_scene, example):
    scene = make_scene(example.names)
    api = SceneApi(scene, scene, Grid.workspace(), Budget())
    return SceneRun(ProgramWriter(RulesModel()), api, tuple(scene.names), asks=True)


@pytest.mark.parametrize("name", LMPS)
def test_a_prompt_has_5_to_20_examples_in_scenes_of_their_own(name):
    prompt = load(name)
    assert 5 <= len(prompt.examples) <= 20
    assert len({example.query for example in prompt.examples}) == len(prompt.examples)
    assert "ret_val" in prompt.instructions or name in ("planner", "composer")


@pytest.mark.parametrize("example", each("planner"))
def test_examples_of_the_planner_plan_or_refuse(make_scene, example):
    steps = []

    def composer(text):
        steps.append(text)

    def refuse(reason):
        raise InstructionRefused(reason)

    program = Program(example.source)
    if "refuse(" in example.source:
        with pytest.raises(InstructionRefused):
            program.run({"composer": composer, "refuse": refuse}, Budget())
        return
    program.run({"composer": composer, "refuse": refuse}, Budget())
    scene = make_scene(example.names)
    for step in steps:  # what the planner's prompt teaches, the composer must understand
        assert LanguagePrograms(RulesModel()).compose(step, scene)


@pytest.mark.parametrize("example", each("composer"))
def test_examples_of_the_composer_make_sub_goals(make_scene, example):
    run = scene_run(make_scene, example)
    composition = Composition(example.query, example.source, run, lambda queries: lambda scene: run.maps(queries))
    Program(example.source).run({**run.vocabulary(), **composition.vocabulary()}, run.api.budget)
    assert len(composition.subgoals) == 1
    assert composition.subgoals[0].home or composition.subgoals[0].maps(run.api.scene)


@pytest.mark.parametrize("example", each("parse_query_obj"))
def test_examples_of_parse_query_obj_find_something(make_scene, example):
    run = scene_run(make_scene, example)
    found = Program(example.source).run(run.api.names(), run.api.budget)
    assert all(isinstance(item, Observation | Body) for item in (found if isinstance(found, list) else [found]))


@pytest.mark.parametrize("kind", ["affordance", "avoidance", "rotation", "velocity", "gripper"])
def test_examples_of_maps_write_a_map_of_their_kind(make_scene, kind):
    for example in load(f"get_{kind}_map").examples:
        run = scene_run(make_scene, example)
        written = Program(example.source).run(run.vocabulary(), run.api.budget)
        assert isinstance(written, MapHandle), example.query
        assert written.kind == kind, example.query
        if isinstance(written.values, DenseMap):
            assert written.values.values.max() > 0, example.query


@pytest.mark.parametrize("kind", ["affordance", "rotation"])
def test_the_rules_write_maps_like_those_of_the_prompt(make_scene, kind):
    """Where the grammar knows a query of the prompt, its map has the same values."""
    known = 0
    for example in load(f"get_{kind}_map").examples:
        run = scene_run(make_scene, example)
        taught = Program(example.source).run(run.vocabulary(), run.api.budget).values
        try:
            source = RulesModel().complete(load(f"get_{kind}_map").messages(example.query, run.names))
        except InstructionRefused:
            continue
        written = Program(source).run(run.vocabulary(), run.api.budget).values
        known += 1
        if kind == "affordance":
            assert (written.values == taught.values).all(), example.query
        else:
            assert written.at([[40, 50, 30]]) == pytest.approx(taught.at([[40, 50, 30]])), example.query
    assert known >= 4


def test_a_conversation_can_be_read_back():
    messages = load("composer").messages("grasp  the\n red block", ["red block", 'a "quoted" mug'])
    assert asked(messages) == ("composer", "grasp the red block", ("red block", 'a "quoted" mug'))
    repaired = [*messages, {"role": "assistant", "content": "x"}, {"role": "user", "content": "# Error: no"}]
    assert asked(repaired)[1] == "grasp the red block"
    assert [message["role"] for message in messages[:3]] == ["system", "user", "assistant"]


def test_an_unknown_program_is_refused():
    with pytest.raises(UnknownName, match="nearest: 'planner'"):
        load("planer")


def test_names_in_the_api_are_those_the_prompt_explains():
    explained = load("get_affordance_map").instructions
    scene_names = set(SceneApi(None, None, Grid.workspace(), Budget()).names())
    for name in scene_names:
        assert re.search(rf"\b{name}\b", explained), name
