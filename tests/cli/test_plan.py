import pytest

from valuefield.cli.plan import Tally, matching_variation
from valuefield.envs.tabletop import make


def step(collisions: list[tuple[str, str, float]] = [], **info: object) -> dict[str, object]:  # noqa: B006
    return {"success": False, "collisions": collisions, "violations": {}, **info}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("open the top drawer", 2),
        ("  Open the TOP drawer. ", 2),
        ("slide the bottom drawer open", 0),
        ("open the left drawer", None),
    ],
)
def test_the_variation_is_that_whose_sentences_have_the_instruction(sentence: str, expected: int | None) -> None:
    assert matching_variation(make("tabletop/open_drawer").task, sentence) == expected


def test_a_collision_is_a_contact_with_what_the_sub_goal_does_not_name() -> None:
    tally = Tally()
    tally.add(step([("left_finger", "top drawer", 20.0)]), ("top drawer handle", "top drawer"))
    tally.add(step([("rubbish", "table", 1.2)]), ("rubbish",))
    assert tally.collisions == 0
    tally.add(step([("hand", "cabinet", 3.0), ("hand", "middle drawer", 2.0)]), ("top drawer",))
    assert tally.collisions == 1  # ticks are counted, not contacts


def test_naming_a_thing_names_its_parts_and_no_other_thing() -> None:
    tally = Tally()
    tally.add(step([("left_finger", "red button", 5.0)]), ("red",))
    assert tally.collisions == 1


def test_success_and_violations_add_up() -> None:
    tally = Tally()
    tally.add(step(violations={"torque": 2}), ())
    tally.add(step(success=True, violations={"torque": 1, "joint_speed": 4}), ())
    tally.add(step(), ())
    assert tally.success
    assert tally.violations == {"torque": 3, "joint_speed": 4}
