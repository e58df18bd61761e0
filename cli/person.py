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
    from ..agents.agent import AgentConfig
    from ..agents.people import Person
    from ..agents.takeover import Judge, Rule


Env = gymnasium.Env[Any, Any]

TRAINER = "trainer"
"""The person who never acts, but says what is right."""

PATIENCE = 100
"""Steps for which a `stalled` person lets the policy act alone, unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class PersonArgs(CommonArgs):
    """The flags of a verb that has a person beside a policy."""

    expert: str | None = None
    """Whose knowledge a simulated person beside the policy has: scripted, voxposer, or the path of a checkpoint."""
    person: str = ""
    """When that person acts: override (turn by turn), clutch (held control) or stalled (once the policy has had its
    time); or trainer, who never acts but says what is right. By default what suits algorithm, expert and actions."""
    rule: tuple[str, ...] = ()
    """Settings of clutch, stalled and trainer, as KEY=VALUE."""
    lax: bool = False
    """With override: the person lets a wasted step pass, and acts once the goal gets farther away."""
    delay: int = 0
    """Steps that the person takes to react."""
    lapse: float = 0.0
    """Probability that the person misses a step at which to take over."""
    noise: float = 0.0
    """Probability that an action of the person's is random."""


@dataclass(frozen=True, kw_only=True)
class TrainerSettings:
    """How a trainer speaks. rate: share of the steps of which anything is said. delay: s, shortest and longest."""

    rate: float = 1.0
    delay: tuple[float, float] = (0.2, 4.0)


def person_of(args: PersonArgs, env: Env, config: AgentConfig) -> Person:
    """The person beside an agent of this `config` in `env`; nobody without an expert.

    Raises UnknownName for a rule or an expert that does not exist, BadInput where the two do not go together.
    """
    from ..agents.load import PolicyOptions, load_policy
    from ..agents.people import NoPerson, SimulatedPerson

    if args.expert is None:
        if args.person:
            raise BadInput(f"--person {args.person} needs --expert, whose knowledge the person has")
        return NoPerson()
    expert = load_policy(args.expert, env, PolicyOptions(seed=args.seed))
    name = args.person or _suited(args.expert, env, config)
    if name not in (*RULES, TRAINER):
        raise UnknownName("person", name, (*RULES, TRAINER))
    if args.lax and name != "override":
        raise BadInput(f"--lax is a way to override, not of --person {name}")
    if name == TRAINER:
        return _trainer(args, expert, env, config)
    rule = RULES[name](args, expert, env)
    return SimulatedPerson(
        expert, rule, delay=args.delay, lapse=args.lapse, noise=args.noise, action_space=env.action_space
    )


def _suited(expert: str, env: Env, config: AgentConfig) -> str:
    """Who learns from feedback is given it; a planner is not to be asked at every step; few actions are judged each."""
    if config.replay == "feedback":
        return TRAINER
    if expert == "voxposer":
        return "stalled"
    return "override" if isinstance(env.action_space, Discrete) else "clutch"


def _trainer(args: PersonArgs, expert: Actor, env: Env, config: AgentConfig) -> Person:
    from ..agents.feedback import Best, SameWay, SimulatedTrainer

    if args.delay or args.lapse or args.noise:
        raise BadInput(f"a {TRAINER} never acts; how it speaks is a matter of --rule rate=0.5, --rule delay=0.2,4")
    said = configured(TrainerSettings, pairs(args.rule, flag="--rule"), flag="--rule")
    right = Best(_judge(args, expert)) if isinstance(env.action_space, Discrete) else SameWay(expert)
    return SimulatedTrainer(right, ctrl_dt=getattr(config, "ctrl_dt", 1.0), rate=said.rate, delay=said.delay)


def _judge(args: PersonArgs, expert: Actor) -> Judge:
    if not hasattr(expert, "costs"):
        raise BadInput(f"this person needs an expert that can judge any action; {args.expert} here cannot")
    return cast("Judge", expert)


def _override(args: PersonArgs, expert: Actor, env: Env) -> Rule:
    from ..agents.takeover import Override

    if args.rule:
        raise BadInput(f"--person override has no settings but --lax, not {' '.join(args.rule)}")
    return Override(_judge(args, expert), lax=args.lax)


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
