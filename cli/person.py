"""Flags of a simulated person, and the person they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import gymnasium
from gymnasium.spaces import Discrete

from ..robots.errors import BadInput, UnknownName
from .config import configured, pairs
from .output import CommonArgs

if TYPE_CHECKING:
    from ..agents.actor import Actor
    from ..agents.people import Person
    from ..agents.takeover import Judge, Rule


Env = gymnasium.Env[Any, Any]

PATIENCE = 100
"""Steps for which a `stalled` person lets the policy act alone, unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class PersonArgs(CommonArgs):
    """The flags of a verb that has a person beside a policy."""

    expert: str | None = None
    """Whose knowledge a simulated person beside the policy has: scripted, voxposer, or the path of a checkpoint."""
    person: str = ""
    """When that person acts: override (turn by turn), clutch (held control) or stalled (once the policy has had its
    time). By default what suits the expert and the actions."""
    rule: tuple[str, ...] = ()
    """Settings of clutch and stalled, as KEY=VALUE."""
    lax: bool = False
    """With override: the person lets a wasted step pass, and acts once the goal gets farther away."""
    delay: int = 0
    """Steps that the person takes to react."""
    lapse: float = 0.0
    """Probability that the person misses a step at which to take over."""
    noise: float = 0.0
    """Probability that an action of the person's is random."""


def person_of(args: PersonArgs, env: Env) -> Person:
    """The person beside a policy in `env`; nobody without an expert.

    Raises UnknownName for a rule or an expert that does not exist, BadInput where the two do not go together.
    """
    from ..agents.load import PolicyOptions, load_policy
    from ..agents.people import NoPerson, SimulatedPerson

    if args.expert is None:
        if args.person:
            raise BadInput(f"--person {args.person} needs --expert, whose knowledge the person has")
        return NoPerson()
    expert = load_policy(args.expert, env, PolicyOptions(seed=args.seed))
    name = args.person or _suited(args.expert, env)
    if name not in RULES:
        raise UnknownName("person", name, RULES)
    if args.lax and name != "override":
        raise BadInput(f"--lax is a way to override, not of --person {name}")
    rule = RULES[name](args, expert, env)
    return SimulatedPerson(
        expert, rule, delay=args.delay, lapse=args.lapse, noise=args.noise, action_space=env.action_space
    )


def _suited(expert: str, env: Env) -> str:
    """A planner is not to be asked at every step; a choice among few actions is judged one by one."""
    if expert == "voxposer":
        return "stalled"
    return "override" if isinstance(env.action_space, Discrete) else "clutch"


def _override(args: PersonArgs, expert: Actor, env: Env) -> Rule:
    from ..agents.takeover import Override

    if not hasattr(expert, "costs"):
        raise BadInput(f"--person override needs an expert that can judge any action; {args.expert} here cannot")
    if args.rule:
        raise BadInput(f"--person override has no settings but --lax, not {' '.join(args.rule)}")
    return Override(cast("Judge", expert), lax=args.lax)


def _clutch(args: PersonArgs, expert: Actor, env: Env) -> Rule:
    from ..agents.takeover import Clutch
    from ..envs.robot_env import RobotEnv

    given = {"gripper": isinstance(env.unwrapped, RobotEnv), **pairs(args.rule, flag="--rule")}
    return configured(Clutch, given, flag="--rule")


def _stalled(args: PersonArgs, expert: Actor, env: Env) -> Rule:
    from ..agents.takeover import Stalled

    return configured(Stalled, {"steps": PATIENCE, **pairs(args.rule, flag="--rule")}, flag="--rule")


RULES: dict[str, Callable[[PersonArgs, Actor, Env], Rule]] = {
    "override": _override,
    "clutch": _clutch,
    "stalled": _stalled,
}
"""When a simulated person acts, by name."""
