"""The console script `valuefield`: finds the verb, parses its flags, and turns what happens into an exit status."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from ..robots.errors import BadInput, UnknownName, ValuefieldError

if TYPE_CHECKING:
    from .output import CommonArgs

VERBS = {
    "doctor": "what works on this machine, and the command that mends each gap",
    "plan": "one instruction end to end: perceive, compose value maps, plan, move, replan",
    "eval": "success table of a planner or a checkpoint",
    "view": "a run, a training, an episode or a value map in the browser",
    "record": "episodes of an expert or a policy",
    "replay": "an episode once more, by its actions or by its states",
    "train": "an agent, alone, beside a simulated person, or from recorded episodes",
    "bench": "a performance table, with a baseline in the same run",
}
"""Name of each verb, which is also its module in `cli/`, and what it does."""

MACHINE_FAILED = 3
INTERRUPTED = 130  # 128 + SIGINT, what a shell reports for a program that Ctrl-C ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run `valuefield VERB ...` and return its exit status.

    0: done and succeeded. 1: ran to its end, but the task failed. 2: bad usage or bad input. 3: the machine could not.
    130: ended by Ctrl-C.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return 0 if words else BadInput.exit_status
    if words[0] == "--version":
        print(version("valuefield"))
        return 0
    return run_verb(words[0], words[1:])


def usage() -> str:
    """The list of verbs."""
    verbs = "\n".join(f"  {name:<8} {text}" for name, text in VERBS.items())
    return f"usage: valuefield VERB ...\n\n{verbs}\n\n`valuefield VERB --help` lists a verb's flags."


def run_verb(verb: str, words: Sequence[str]) -> int:
    """Run one verb and say in one line on standard error why it could not, if it could not."""
    args: CommonArgs | None = None
    try:
        if verb not in VERBS:
            raise UnknownName("verb", verb, VERBS)
        module = importlib.import_module(f".{verb}", __package__)
        args = parse(module.Args, verb, words)
        return call(module.run, args)
    except ValuefieldError as error:
        return _say(verb, str(error), error.exit_status)
    except KeyboardInterrupt as interrupt:
        return _say(verb, f"ended by Ctrl-C; {str(interrupt) or _kept(args)}", INTERRUPTED)
    except OSError as error:
        return _say(verb, f"the machine could not do it: {error}", MACHINE_FAILED)
    except Exception:
        # A fault of ours: the trace is what a report needs. Not status 1, which would claim that the task had failed.
        traceback.print_exc()
        return _say(verb, "a fault inside valuefield, see the trace above", MACHINE_FAILED)


def parse(args_type: type[CommonArgs], verb: str, words: Sequence[str]) -> CommonArgs:
    """Flags to the verb's dataclass. Raises BadInput with one line, `SystemExit(0)` after `--help`."""
    import tyro  # a quarter of a second that `valuefield --help` need not pay

    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return tyro.cli(args_type, args=words, prog=f"valuefield {verb}", config=(tyro.conf.FlagCreatePairsOff,))
    except SystemExit as end:
        if end.code in (0, None):
            raise
        raise BadInput(one_line(said.getvalue())) from None


def one_line(box: str) -> str:
    """The text of an error that was drawn as a box, its sections joined by semicolons."""
    sections = re.split(r"[╭╰│ ]*─{3,}[╮╯│ ]*", re.sub(r"─ [^─\n]+ ─", "───", box))
    texts = (" ".join(section.replace("│", " ").split()).rstrip(".") for section in sections)
    return "; ".join(text for text in texts if text)


def call(run: Any, args: CommonArgs) -> int:
    """Run the verb; under `--json` nothing but its one object reaches standard output."""
    if not args.json:
        return int(run(args))
    from .output import stdout_for_json  # loads tyro; the verb has done so by now

    with stdout_for_json():
        return int(run(args))


def _say(verb: str, text: str, status: int) -> int:
    print(f"valuefield {verb}: {' '.join(text.split())}", file=sys.stderr)
    return status


def _kept(args: CommonArgs | None) -> str:
    """What an interrupted verb leaves behind."""
    if args is None or not args.out.is_dir():
        return "nothing had been written yet"
    return f"kept what had been written to {args.out}/"
