"""`valuefield record`: episodes of an expert, as journals that survive a crash and then as Parquet files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import Progress

from ..robots.errors import BadInput
from .output import CommonArgs, console, emit

if TYPE_CHECKING:
    from ..agents.actor import Actor
    from ..agents.recording import Recorder
    from ..envs.policy_env import PolicyEnv
    from ..envs.tabletop.env import TabletopEnv

ACTION = "joint"
"""What experts and planners act by; each step keeps the equal `ee_delta` in its info for policies that learn that."""


@dataclass(frozen=True, kw_only=True)
class Args(CommonArgs):
    """Record episodes of an expert. Failed ones are kept too, and say so."""

    expert: str = "scripted"
    """Who drives: scripted, voxposer, random, or the path of a checkpoint."""
    env: str
    """Environment, such as tabletop/open_drawer or MiniGrid-MultiRoom-N2-S4-v0."""
    observe: str = ""
    """Of a tabletop, record what a policy sees, to be learned from: objects, state or pixels."""
    episodes: int = 1
    """How many; they have the seeds SEED, SEED + 1, and so on."""
    obs: tuple[str, ...] = ("proprio", "rgb", "depth")
    """What is kept of each step: proprio, rgb, depth, seg, state."""
    cameras: tuple[str, ...] = ("front", "wrist")
    """Whose images are kept: front, left_shoulder, right_shoulder, overhead, wrist."""
    size: int = 128
    """Pixels a side of the images."""
    llm: str = "rules"
    """Who writes the language programs of a planner: `rules`, or `openai` for an endpoint of that protocol."""
    detector: str = "oracle"
    """Who finds the objects for a planner: `oracle` (the simulator's masks) or `open-vocabulary`."""
    detector_folder: Path | None = None
    """Folder of the open-vocabulary models."""


def run(args: Args) -> int:
    """Recover what an earlier run left unfinished, then record; 0 once all have run, however they ended."""
    from ..agents.load import PolicyOptions, load_policy
    from ..envs.episodes_journal import recover

    if args.episodes < 1:
        raise BadInput(f"--episodes takes at least 1, not {args.episodes}")
    screen = console(args)
    for rescued in recover(args.out):
        screen.print(str(rescued))
    env, record = _chosen(args)
    options = PolicyOptions(args.llm, args.detector, args.detector_folder, args.out / "replies", args.seed)
    rows = []
    try:
        actor = load_policy(args.expert, env, options)
        with Progress(console=screen, transient=True) as progress:
            seeds = range(args.seed, args.seed + args.episodes)
            for seed in progress.track(seeds, description=f"{args.expert} in {args.env}"):
                rows.append(record(actor, seed))
                screen.print(f"{rows[-1]['file']}  {'succeeded' if rows[-1]['success'] else 'failed'}")
    finally:
        env.close()
    emit(args, {"episodes": rows, "successes": sum(row["success"] for row in rows)})
    return 0


def _chosen(args: Args) -> tuple[Any, Callable[[Actor, int], dict[str, Any]]]:
    """The environment, and what records an episode of it: by joints and cameras, or as a policy acts and sees."""
    from ..agents.load import POLICIES, environment_of
    from ..agents.recording import Recorder
    from ..envs.tabletop import make

    if args.env.startswith("tabletop/") and args.expert in POLICIES and not args.observe:
        env = make(args.env, obs=args.obs, cameras=args.cameras, size=args.size, action=ACTION)
        return env, partial(_record, args, env)
    seen, recipe = environment_of(args.expert, args.env, args.observe)
    recorder = Recorder(args.out, recipe, getattr(seen.unwrapped, "ctrl_dt", None))
    return seen, partial(_record_view, seen, recorder)


def _record_view(env: PolicyEnv, recorder: Recorder, actor: Actor, seed: int) -> dict[str, Any]:
    """Record one episode as a policy sees it. An actor that gives up ends it; the steps so far are kept."""
    from ..agents.evaluate import GIVEN_UP, drive
    from ..agents.replay import Transition

    obs, info = env.reset(seed=seed)
    recorder.begin(seed, obs, info)
    success, reason, start = False, "", True
    try:
        for tick in drive(actor, env, obs, info):
            done = tick.info.get("action_sent", tick.action)
            row = Transition(obs, done, None, tick.reward, tick.obs, tick.terminated, tick.truncated, True, start)
            recorder.step(row, tick.action)
            obs, start = tick.obs, False
            success, reason = bool(tick.info.get("success", False)), str(tick.info.get("fault", ""))
    except GIVEN_UP as error:
        success, reason = False, f"{type(error).__name__}: {error}"
    path = recorder.end(success=success)
    return {"seed": seed, "variation": info.get("variation"), "success": success, "reason": reason, "file": path}


def _record(args: Args, env: TabletopEnv, actor: Actor, seed: int) -> dict[str, Any]:
    """Record one episode. An actor that gives up ends it; the steps so far are kept."""
    from ..agents.evaluate import GIVEN_UP, drive
    from ..envs.actions import EeDeltaAction
    from ..envs.episodes import EpisodeHeader, EpisodeWriter, Step
    from ..robots.state import JointTarget

    obs, info = env.reset(seed=seed)
    kept = {name: info[name] for name in ("roles", "objects")}
    header = EpisodeHeader(args.env, info["instruction"], ACTION, env.ctrl_dt, seed, info["variation"], kept)
    delta = EeDeltaAction(env.robot)
    success, reason = False, ""
    with EpisodeWriter(args.out, header, obs) as writer:
        anchor = env.anchor
        try:
            for tick in drive(actor, env, obs, info):
                sent = tick.info["action_sent"]
                target = JointTarget(sent[:-1], env.robot.limits.width_max * (sent[-1] > 0))
                extra = {"ee_delta": delta.encode(target, anchor), "violations": tick.info.get("violations", {})}
                step = Step(sent, tick.reward, tick.terminated, tick.truncated, tick.action, info=extra)
                writer.step(step, tick.obs)
                anchor = env.anchor
                success, reason = bool(tick.info["success"]), str(tick.info.get("fault", ""))
        except GIVEN_UP as error:
            success, reason = False, f"{type(error).__name__}: {error}"
        path = writer.finish(success)
    return {"seed": seed, "variation": info["variation"], "success": success, "reason": reason, "file": path}
