"""The offline language model: a grammar that writes what a model would, from the sentence and the names alone."""

from __future__ import annotations

from collections.abc import Sequence

from ...robots.errors import InstructionRefused, ProgramError
from .map_rules import MAP_RULES, parse_query_obj
from .model import Message
from .program_text import call
from .prompt import asked
from .sentence import nearest_instruction, understand
from .steps import Steps
from .subgoal_rules import composer


class RulesModel:
    """Writes all eight language programs for the sentences it understands.

    It sees what any model sees, the conversation, and of that only the last query and the names of the scene.
    """

    name = "rules"

    def complete(self, messages: Sequence[Message]) -> str:
        """Write the program that the last query asks for.

        Raises InstructionRefused for a sentence that it does not understand, with the part and the nearest
        instruction that it does; ProgramError for a conversation that asks for none of the eight programs.
        """
        program, query, names = asked(messages)
        if program == "planner":
            return plan(query, names)
        if program == "composer":
            return composer(query, names)
        if program == "parse_query_obj":
            return parse_query_obj(query, names)
        if program not in MAP_RULES:
            raise ProgramError(f"the rules write no program {program!r}")
        return MAP_RULES[program](query, names)


def plan(sentence: str, names: Sequence[str]) -> str:
    """Write the planner's program. Raises InstructionRefused with the nearest instruction that is understood."""
    try:
        actions, manner = understand(sentence, names)
        steps = Steps(names).of(actions, manner)
    except InstructionRefused as refusal:
        raise InstructionRefused(
            f"{refusal}; nearest instruction: {nearest_instruction(sentence, names)!r}"
        ) from refusal
    return "\n".join([*(call("composer", step) for step in steps), "# done"]) + "\n"
