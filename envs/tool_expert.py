"""A quick expert for learners: the keyframes of a task, followed by moving the tool towards them."""

from __future__ import annotations

import numpy as np

from ..robots.errors import BadInput
from ..robots.geometry import pose_error, quat_conjugate, quat_multiply, rotation_vector
from ..robots.state import Floats
from .actions import DELTA_POSITION, DELTA_ROTATION, Action
from .keyframe import CLOSED, Keyframe
from .observations import Observation
from .robot_env import Info
from .tabletop.env import TabletopEnv

GAIN = 0.5
"""Share of what is left to a keyframe that a step goes, where that is no more than it may.

This and the limits are such that the arm can follow: what safety changes, no learner can explain by what it sees."""

FREE, TURNING = 0.0125, 0.06
"""m and rad, what a step goes at most along each axis, where it is not on a straight way to touch something, and turns.

One axis knows nothing of the others, so that a learner need not learn the length of a vector."""

OVER, RAMP = 0.075, 0.03
"""m: below this height the tool goes up before it goes aside, and over this much height that rule sets in."""

ALIGNED, FUNNEL = 0.01, 0.02
"""m, aside of a straight way, at which the tool may enter it, and over how much more it may not; twice that is far."""

STRAIGHT, BENT = 0.12, 0.3
"""rad, the same for its rotation."""

_HALF_TURN = np.array([0.0, 0.0, 0.0, 1.0])


class ToolExpert:
    """An actor for a `TabletopEnv` with `action="ee_delta"`: straight to the last keyframe whose condition holds.

    The step is proportional to what is left, up to a limit, so that a learner can imitate it; it depends on nothing but
    the state, so that it can be asked anywhere, at every step. Of the task's grips, each also with the fingers the
    other way round, that is taken to which the tool has least to turn. It plans no way round anything: things on the
    table are got over by going up first.

    Raises:
        BadInput: the environment has another form of action.
    """

    def __init__(self, env: TabletopEnv) -> None:
        if env.action_space.shape != (7,):
            raise BadInput(f"ToolExpert acts by ee_delta, of shape (7,), not {env.action_space.shape}")
        self._env = env

    def reset(self, obs: Observation, info: Info) -> None:
        """Nothing is kept from one step to the next."""

    def act(self, obs: Observation) -> Action:
        """The action for now; `obs` is not looked at."""
        here = self._env.anchor.pose
        now, then = self._stages()
        way = now.pose[:3] - here[:3]
        if not now.straight:
            way = _up_first(way + _entered(here, now, then), here[2])
        turn = rotation_vector(quat_multiply(now.pose[3:], quat_conjugate(here[3:])))
        step, turned = GAIN * way, _at_most(GAIN * turn, TURNING)
        step = (
            _at_most(step, now.speed * self._env.ctrl_dt)
            if now.touches and now.straight
            else np.clip(step, -FREE, FREE)
        )
        hand = -1.0 if now.width == CLOSED else 1.0
        return np.asarray(np.clip([*step / DELTA_POSITION, *turned / DELTA_ROTATION, hand], -1, 1), np.float32)

    def _stages(self) -> tuple[Keyframe, Keyframe | None]:
        """The keyframe to follow now, and the one that comes after it."""
        world, task = self._env.world, self._env.task
        first = task.grips[0]
        stages = task.keyframes(world, first)
        grip = self._nearest(quat_multiply(stages[0].pose[3:], quat_conjugate(first)))
        if grip is not first:
            stages = task.keyframes(world, grip)
        now = max(k for k, stage in enumerate(stages) if stage.when)
        return stages[now], stages[now + 1] if now + 1 < len(stages) else None

    def _nearest(self, frame: Floats) -> Floats:
        """The grip (4,) of the task that the tool has least to turn to; grips are given in a frame turned so (4,)."""
        tool = self._env.anchor.pose[3:]
        grips = [turned for grip in self._env.task.grips for turned in (grip, quat_multiply(grip, _HALF_TURN))]
        return max(grips, key=lambda grip: abs(float(quat_multiply(frame, grip) @ tool)))


def _entered(here: Floats, now: Keyframe, then: Keyframe | None) -> Floats:
    """(3,) how far to go on along the straight way that begins where `now` ends: the farther, the less it is missed.

    A task lets the tool begin on that way only once it is aligned, and else sends it back: a learner that comes in a
    little aside would not know which way to go. Here it then stays as far in as it is, and only from far aside it
    goes back.
    """
    if then is None or not then.straight or then.width != now.width:
        return np.zeros(3)
    way, gap = then.pose[:3] - now.pose[:3], here[:3] - now.pose[:3]
    share = float(gap @ way / max(float(way @ way), 1e-9))
    aside = float(np.linalg.norm(gap - share * way))
    missed = max((aside - ALIGNED) / FUNNEL, (pose_error(here, then.pose)[1] - STRAIGHT) / BENT)
    on, back = np.clip((1.0 - missed, missed - 2.0), 0.0, 1.0)
    waiting = (1.0 - on - back) * np.clip(share, 0.0, 1.0)
    return way * float(on + waiting)


def _up_first(way: Floats, height: float) -> Floats:
    """`way` (3,) with as much less of it aside as the tool, `height` m up, is too low to get over things."""
    low = min(OVER, height + way[2])
    share = float(np.clip((height - low) / RAMP + 1, 0, 1))
    return way * (share, share, 1)


def _at_most(step: Floats, limit: float) -> Floats:
    """`step` (3,), shortened to `limit`."""
    return step * min(1.0, limit / max(float(np.linalg.norm(step)), 1e-9))
