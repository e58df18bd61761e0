"""VoxPoser: an instruction becomes language programs, these compose value maps, and the arm follows paths over them.

After Huang et al., "VoxPoser: Composable 3D Value Maps for Robotic Manipulation with Language Models", CoRL 2023.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..envs.perception.detector import Detector
from ..envs.robot_env import RobotEnv
from .execute import Executor
from .language.model import LanguageModel
from .language.programs import LanguagePrograms
from .path import warm_up


def voxposer(
    env: RobotEnv,
    model: LanguageModel,
    detector: Callable[[dict[str, Any]], Detector],
    *,
    realtime: bool = False,
    seed: int = 0,
) -> Executor:
    """The actor that carries out the instruction of each episode of `env` with programs written by `model`."""
    warm_up()
    return Executor(env, LanguagePrograms(model), detector, realtime=realtime, seed=seed)
