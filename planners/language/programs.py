"""The eight language programs of VoxPoser, from an instruction to value maps.

The planner's program names sub-goals; the composer's program asks, for each, for the maps that it needs; the programs
of the maps write them. Those run again on every new observation, and no language model is asked for that.
After Huang et al., "VoxPoser", CoRL 2023, section 3.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ...robots.errors import InstructionRefused, ProgramError
from ..grid import Grid
from ..value_map import ValueMaps
from .api import SceneApi
from .budget import SECONDS, Budget
from .composition import Composition, MapQuery, SceneRun
from .interpreter import Program
from .model import LanguageModel
from .subgoal import SubGoal
from .values import describe
from .writer import MAX_QUERY, ProgramWriter

if TYPE_CHECKING:
    from ...envs.perception.scene import Scene

MAX_SUBGOALS = 50


class LanguagePrograms:
    """Turns instructions into sub-goals with the programs that `model` writes.

    grid: where the maps are written; the workspace by default. seconds: how long one run of a program may take.
    """

    def __init__(self, model: LanguageModel, grid: Grid | None = None, *, seconds: float = SECONDS) -> None:
        self.model = model
        self.grid = Grid.workspace() if grid is None else grid
        self._seconds = seconds
        self._writer = ProgramWriter(model)

    def plan(self, instruction: str, scene: Scene) -> list[str]:
        """Split an instruction into sub-goals, in order, each a sentence for `compose`.

        Raises InstructionRefused for what is empty, too long or not understood, ProgramError for a program that stays
        wrong after its repairs, ModelUnavailable.
        """
        sentence = " ".join(instruction.split())
        if not any(character.isalnum() for character in sentence):
            raise InstructionRefused("the instruction is empty; say what the arm should do")
        if len(sentence) > MAX_QUERY:
            raise InstructionRefused(f"an instruction of {len(sentence)} characters; at most {MAX_QUERY} are read")
        return self._planned(self._program("planner", sentence, scene, self._planned))

    def compose(self, text: str, scene: Scene) -> list[SubGoal]:
        """Compose the sub-goal `text` on the scene in which it begins; usually one, at most a few.

        Raises ProgramError, ModelUnavailable, or InstructionRefused like `plan`.
        """

        def composed(program: Program) -> list[SubGoal]:
            return self._composed(text, program, scene)

        return composed(self._program("composer", text, scene, composed))

    def _program(self, name: str, query: str, scene: Scene, trial: Callable[[Program], object]) -> Program:
        known = self._writer.known(name, query, scene.names)
        return self._writer.write(name, query, scene.names, trial) if known is None else known

    def _planned(self, program: Program) -> list[str]:
        steps: list[str] = []

        def composer(text: Any) -> None:
            if not isinstance(text, str) or not text.strip():
                raise ProgramError(f"composer takes a sentence, not {describe(text)}")
            if len(steps) == MAX_SUBGOALS:
                raise ProgramError(f"a plan of more than {MAX_SUBGOALS} sub-goals")
            steps.append(text)

        program.run({"composer": composer, "refuse": _refuse}, Budget(self._seconds))
        if not steps:
            raise ProgramError("the plan has no sub-goal; call composer('...') for each, or refuse('why')")
        return steps

    def _composed(self, text: str, program: Program, scene: Scene) -> list[SubGoal]:
        run = SceneRun(self._writer, self._api(scene, scene), tuple(scene.names), asks=True)
        composition = Composition(text, program.source, run, lambda queries: self._maps(queries, scene))
        program.run({**run.vocabulary(), **composition.vocabulary()}, run.api.budget)
        if not composition.subgoals:
            raise ProgramError("the program calls neither execute(...) nor reset_to_default_pose()")
        return composition.subgoals

    def _maps(self, queries: Sequence[MapQuery], start: Scene) -> Callable[[Scene], ValueMaps]:
        names = tuple(start.names)

        def maps(scene: Scene) -> ValueMaps:
            run = SceneRun(self._writer, self._api(scene, start), names)
            return run.maps(queries)

        return maps

    def _api(self, scene: Scene, start: Scene) -> SceneApi:
        return SceneApi(scene, start, self.grid, Budget(self._seconds))


def _refuse(reason: Any) -> NoReturn:
    raise InstructionRefused(reason if isinstance(reason, str) else "the model refused the instruction")
