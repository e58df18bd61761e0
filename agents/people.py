"""People beside a policy: they see what it proposes, let it pass or act in its place, and say what they think of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person does about one proposed action.

    action: what is executed in place of the proposal; None lets the proposal pass. approved: the person said yes to the
    proposal, which is more than letting it pass. feedback: `Feedback` that arrived since the decision before.
    """

    action: Any | None = None
    approved: bool = False
    feedback: tuple[Any, ...] = ()


class Person(Protocol):
    """Decides at every control step between the policy's proposal and an action of its own.

    What is asked at a step may depend on the steps before it in the same episode, never on those to come.
    """

    @property
    def name(self) -> str:
        """What a file of results calls this person: the kind and every parameter."""
        ...

    def reset(self, obs: Any, info: dict[str, Any], seed: int) -> None:
        """Begin an episode; all that is random in it follows from `seed`, so that its end is a full checkpoint."""
        ...

    def decide(self, obs: Any, proposal: Any) -> Decision:
        """What to do about `proposal`, an action of the environment's space, at `obs`. Neither is changed."""
        ...


class NoPerson:
    """Nobody: every proposal passes."""

    name = "nobody"

    def reset(self, obs: Any, info: dict[str, Any], seed: int) -> None:
        """Nothing depends on the episode."""

    def decide(self, obs: Any, proposal: Any) -> Decision:
        """Let the proposal pass."""
        return Decision()
