"""`valuefield train`: an agent, alone, beside a simulated person, or from recorded episodes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro
from rich.table import Table

from ..robots.errors import BadInput
from .cells import RESULTS, Cells
from .config import configured, pairs, table
from .eval import SEED
from .output import console, emit
from .person import PersonArgs, person_of
from .training_page import TRAINING

if TYPE_CHECKING:
    from ..agents.checkpoint import PolicyHeader, TrainingCheckpoints
    from ..agents.train import Training
    from ..envs.policy_env import PolicyEnv, Recipe

EVENTS = "tensorboard"
"""Where a run's event files are, in its folder."""

OFFLINE = ("bc", "hg-dagger", "iwr")
"""Algorithms that imitate: with data, and without a person to ask, they need no environment to act in."""


@dataclass(frozen=True, kw_only=True)
class Args(PersonArgs):
    """Train an agent and evaluate it; its checkpoint can be given to eval, record and train --expert."""

    algo: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="ALGO")]
    """Algorithm: td3, dqn, pvp, bc, hg-dagger, iwr or deep-tamer."""
    env: str
    """Environment, such as MiniGrid-MultiRoom-N2-S4-v0, tabletop/reach_target or any registered with Gymnasium."""
    steps: int
    """Environment steps; where only recorded data is learned from, as many times the updates of a step."""
    data: tuple[Path, ...] = ()
    """Recorded episodes to learn from besides: files, folders of them, or runs."""
    rows: Literal["all", "intervened"] = "all"
    """Which rows of the recorded episodes."""
    max_rows: int | None = None
    """At most so many of them."""
    observe: str = ""
    """How a tabletop is seen: objects (poses from cameras), state (from the simulator) or pixels."""
    config: tuple[str, ...] = ()
    """The algorithm's settings, as KEY=VALUE."""
    config_file: Path | None = None
    """A TOML file of such settings; --config comes before it."""
    capacity: int = 50_000
    """Rows of replay; where a person's rows are kept apart, of each of the two."""
    eval_every: int = 0
    """Steps between two points of the learning curve; 0 for none."""
    eval_episodes: int = 100
    """Episodes of each point."""
    eval_seed: int = SEED
    """Seed of the first episode of each evaluation."""
    final_episodes: int = 100
    """Episodes of the evaluation after the last update."""
    checkpoint_every: int = 1000
    """A checkpoint is written at the end of the first episode after so many steps."""
    record: bool = False
    """Keep the episodes in the run's folder, for --data and replay."""
    threads: int = 1
    """Threads of PyTorch: for small networks more are slower, and several runs side by side then stand in each other's
    way."""
    resume: bool = False
    """Go on from the last checkpoint in --out."""
    results: str | None = None
    """Name of a table: a finished run is kept in benchmarks/results/NAME.jsonl, and taken from there next time."""


def run(args: Args) -> int:
    """Train to the end, evaluate and show; 0 then, whatever the success is."""
    import torch

    from ..envs.policy_env import policy_env, recipe_for

    if args.threads < 1:
        raise BadInput(f"--threads takes at least 1, not {args.threads}")
    torch.set_num_threads(args.threads)
    recipe = recipe_for(args.env, args.observe)
    envs = policy_env(recipe), policy_env(recipe)
    try:
        training, checkpoints = _made(args, recipe, *envs)
        cell = checkpoints.identity | {name: getattr(args, name) for name in MEASURED}
        cells = Cells(RESULTS / f"{args.results}.jsonl") if args.results else None
        result = cells.find(cell) if cells else None
        if result is None:
            result = _run(args, training, checkpoints)
            if cells:
                cells.append(cell, result)
    finally:
        for env in envs:
            env.close()  # type: ignore[no-untyped-call]
    console(args).print(_table(result))
    emit(args, result)
    return 0


def _made(args: Args, recipe: Recipe, env: PolicyEnv, eval_env: PolicyEnv) -> tuple[Training, TrainingCheckpoints]:
    """The training that the flags describe, and where it is kept."""
    from ..agents.checkpoint import FOLDER, PolicyHeader, TrainingCheckpoints
    from ..agents.fill import EPISODES, make_replay
    from ..agents.load import algorithm
    from ..agents.recording import Recorder
    from ..agents.train import TrainConfig, Training

    kind, config_kind = algorithm(args.algo, env.action_space)
    dt = getattr(env.unwrapped, "ctrl_dt", None)
    clock = {"ctrl_dt": dt} if dt and hasattr(config_kind, "ctrl_dt") else {}
    config = configured(config_kind, clock | table(args.config_file) | pairs(args.config))
    person = person_of(args, env, config)
    spaces = env.observation_space, env.action_space
    plan = TrainConfig(
        steps=args.steps,
        seed=args.seed,
        offline=is_offline(args),
        eval_every=args.eval_every,
        eval_episodes=args.eval_episodes,
        eval_seed=args.eval_seed,
    )
    replay = make_replay(config, *spaces, args.capacity, seed=args.seed)
    recorder = Recorder(args.out / EPISODES, recipe, dt) if args.record else None
    agent = kind(*spaces, config, seed=args.seed)
    training = Training(agent, env, replay, person, plan, eval_env=eval_env, recorder=recorder)
    header = PolicyHeader(args.algo, asdict(config), *spaces, recipe, dt, 0)
    return training, TrainingCheckpoints(args.out / FOLDER, header, identity(args, header, person.name))


def _run(args: Args, training: Training, checkpoints: TrainingCheckpoints) -> dict[str, Any]:
    """Train, from the last checkpoint if told so, evaluate, and report."""
    console(args).print(f"replay: {args.capacity} rows in at most {training.replay.nbytes / 1e9:.2f} GB")
    _begin(args, training, checkpoints)
    try:
        _train(args, training, checkpoints)
        result = _report(args, training, checkpoints)
    except KeyboardInterrupt:
        path = checkpoints.newest
        kept = f"the last checkpoint is {path}; --resume --out {args.out} goes on" if path else "no checkpoint yet"
        raise KeyboardInterrupt(kept) from None
    (args.out / TRAINING).write_text(json.dumps(result), encoding="utf-8")
    return result


def _begin(args: Args, training: Training, checkpoints: TrainingCheckpoints) -> None:
    from ..agents.fill import EPISODES, fill
    from ..agents.recording import discard_from

    screen = console(args)
    if args.resume:
        checkpoints.resume(training)
        discard_from(args.out / EPISODES, training.next_seed)
        screen.print(f"going on from step {training.counters.steps}, {checkpoints.newest}")
    elif checkpoints.newest:
        raise BadInput(f"{checkpoints.newest} is there already; go on with --resume, or name another --out")
    elif args.data:
        recipe = checkpoints.header.recipe
        kept = fill(training.replay, args.data, recipe, rows=args.rows, most=args.max_rows)
        training.counters.data_rows = kept
        screen.print(f"{kept} rows of recorded episodes")


def _train(args: Args, training: Training, checkpoints: TrainingCheckpoints) -> None:
    """Train to the end. A checkpoint is due at the end of an episode, and, of the policy alone, at the very end."""
    from .training_view import TrainingView

    counters, at_rest = training.counters, True
    last = counters.steps
    with TrainingView(console(args), args.out / EVENTS, counters, steps=args.steps) as view:
        for progress in training.run():
            view.update(progress)
            at_rest = progress.at_rest
            if at_rest and counters.steps - last >= args.checkpoint_every:
                checkpoints.save(training, resumable=True)
                last = counters.steps
    if counters.steps > last:
        checkpoints.save(training, resumable=at_rest)


def _report(args: Args, training: Training, checkpoints: TrainingCheckpoints) -> dict[str, Any]:
    from ..agents.actor import PolicyActor
    from ..agents.evaluate import act_ms

    counters, online = training.counters, training.agent.averaged
    obs, _ = training.eval_env.reset(seed=args.eval_seed)
    return {
        "algo": args.algo,
        "env": args.env,
        "seed": args.seed,
        "env_steps": 0 if training.config.offline else counters.steps,
        "updates": counters.updates,
        "data_rows": counters.data_rows,
        "human_steps": len(counters.human_at),
        "takeovers": counters.takeovers,
        "given_up": counters.given_up,
        "human_by_quarter": counters.human_by_quarter(args.steps),
        "success": training.success(args.final_episodes),
        "success_online": training.success(args.final_episodes, online=True) if online else None,
        "curve": counters.curve,
        "curve_online": counters.curve_online,
        "act_ms": round(act_ms(PolicyActor(training.agent), obs), 3),
        "seconds": round(counters.seconds, 1),
        "checkpoint": str(checkpoints.newest),
    }


def is_offline(args: Args) -> bool:
    """Whether no step is taken in the environment. Raises BadInput for `bc` without data, or with a person."""
    if args.algo == "bc" and (not args.data or args.expert):
        raise BadInput("bc learns from recorded episodes alone: it needs --data (see record), and takes no --expert")
    return args.algo in OFFLINE and bool(args.data) and args.expert is None


MEASURED = ("steps", "eval_every", "eval_episodes", "eval_seed", "final_episodes")
"""Flags that a training may be resumed with other values of, and that a result depends on all the same."""


def identity(args: Args, header: PolicyHeader, person: str) -> dict[str, Any]:
    """What a training depends on at every step, and what may thus not change when it is resumed."""
    given = {name: getattr(args, name) for name in ("algo", "seed", "expert", "rows", "max_rows", "capacity")}
    made = {"env": header.recipe.env, "observe": header.recipe.observe, "data": [str(path) for path in args.data]}
    return {**made, **given, "person": person, "config": dict(header.config)}


def _table(result: Mapping[str, Any]) -> Table:
    names = ("env_steps", "updates", "human_steps", "takeovers", "success", "seconds")
    title = f"{result['algo']} in {result['env']}, seed {result['seed']}: {result['checkpoint']}"
    shown = Table(*(name.replace("_", " ") for name in names), title=title)
    shown.add_row(*(str(result[name]) for name in names))
    return shown
