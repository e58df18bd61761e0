"""From actions to the sub-goals that the offline planner writes, one sentence each."""

from __future__ import annotations

from collections.abc import Sequence

from ...robots.errors import InstructionRefused
from .instructions import LIFT_CM, Action
from .manner import Manner
from .noun_phrase import Names

OVER_CM = 12.0
"""How far above a container a thing is let go: more than a thing's own height hangs below the fingers."""
BEFORE_CM = 8.0
"""How far before a front, or above a button, the tool begins and ends."""


class Steps:
    """Sub-goals for actions, in order; knows what the gripper holds on the way."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = Names(names)
        self._held: str | None = None
        self._steps: list[str] = []

    def of(self, actions: Sequence[Action], manner: Manner) -> list[str]:
        """Return the sub-goals as sentences. Raises InstructionRefused for an action that cannot be."""
        for place, action in enumerate(actions):
            if action.thing is not None and action.thing == action.other:
                raise InstructionRefused(f"{action.thing!r} cannot be put on, in or against itself")
            following = actions[place + 1] if place + 1 < len(actions) else None
            if action.kind == "pick_up":
                self._pick_up(action, following)
            else:
                getattr(self, f"_{action.kind}")(action)
        return [text if text.endswith(" the gripper") else text + _manner(manner) for text in self._steps]

    def _grasp(self, action: Action) -> None:
        self._take(str(action.thing))

    def _pick_up(self, action: Action, following: Action | None) -> None:
        self._take(str(action.thing))
        if following is None or following.thing != action.thing:
            self._lift(Action("lift", action.thing, cm=LIFT_CM))

    def _pull(self, action: Action) -> None:
        handle = f"{action.thing} handle"
        self._take(handle)
        self._say(f"move away from the {action.thing} by {_cm(action)} while holding the {handle}")

    def _shut(self, action: Action) -> None:
        self._free("close the gripper")
        handle = f"{action.thing} handle"
        self._say(f"move to {BEFORE_CM:g}cm in front of the {handle} with the gripper closed, facing it")
        self._say(f"push the {action.thing} shut")

    def _press(self, action: Action) -> None:
        self._free()
        self._say(f"press the {action.thing}")
        self._say(f"move to {BEFORE_CM:g}cm above the {action.thing} with the gripper closed")

    def _push(self, action: Action) -> None:
        self._free()
        self._say(f"push the {action.thing} to the {action.other}")

    def _put_in(self, action: Action) -> None:
        self._take(str(action.thing))
        self._say(f"move to {OVER_CM:g}cm above the {action.other} while holding the {action.thing}")
        self._let_go()

    def _put_on(self, action: Action) -> None:
        self._take(str(action.thing))
        self._say(f"move to where the {action.thing} rests on the {action.other}")
        self._let_go()

    def _throw_away(self, action: Action) -> None:
        containers = self._names.named("container")
        if len(containers) != 1:
            there = ", ".join(containers) or "none"
            raise InstructionRefused(f"where should the {action.thing} be thrown away? containers here: {there}")
        self._put_in(Action("put_in", action.thing, containers[0]))

    def _lift(self, action: Action) -> None:
        self._take(str(action.thing))
        self._say(f"lift the gripper by {_cm(action)} while holding the {action.thing}")

    def _carry(self, action: Action) -> None:
        self._take(str(action.thing))
        self._say(f"move to the center of the {action.other} while holding the {action.thing}")

    def _reach(self, action: Action) -> None:
        self._say(f"move to the center of the {action.thing}{self._holding()}")

    def _beside(self, action: Action) -> None:
        if action.side == "near":
            self._say(f"move to within {_cm(action)} of the {action.thing}{self._holding()}")
            return
        self._say(f"move to {_cm(action)} {action.side} the {action.thing}{self._holding()}")

    def _retreat(self, action: Action) -> None:
        self._say(f"move away from the {action.thing} by {_cm(action)}{self._holding()}")

    def _keep_away(self, action: Action) -> None:
        self._say(f"stay {_cm(action)} away from the {action.thing}")

    def _open_gripper(self, action: Action) -> None:
        self._let_go()

    def _close_gripper(self, action: Action) -> None:
        self._say("close the gripper")

    def _home(self, action: Action) -> None:
        self._say("return to the default pose")

    def _say(self, text: str) -> None:
        self._steps.append(text)

    def _take(self, thing: str) -> None:
        if self._held != thing:
            self._free()
            self._say(f"grasp the {thing}")
            self._held = thing

    def _free(self, otherwise: str | None = None) -> None:
        """Let go of what is held; if nothing is, say `otherwise`."""
        if self._held is not None:
            self._let_go()
        if otherwise is not None:
            self._say(otherwise)

    def _let_go(self) -> None:
        self._say("open the gripper")
        self._held = None

    def _holding(self) -> str:
        return "" if self._held is None else f" while holding the {self._held}"


def _cm(action: Action) -> str:
    return f"{action.cm:g}cm"


def _manner(manner: Manner) -> str:
    text = ""
    if manner.speed is not None:
        text += f", at {manner.speed:g}x speed"
        if manner.within is not None:
            text += f" when within {manner.within[0]:g}cm of the {manner.within[1]}"
    if manner.avoid:
        text += f", staying {manner.away:g}cm away from the {' and the '.join(manner.avoid)}"
    return text
