"""`valuefield doctor`: what works on this machine, and the command that mends each gap."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from rich.table import Table

from ..planners.language.model import KEY, MODEL, URL
from .main import MACHINE_FAILED
from .output import CommonArgs, console, emit

ENDPOINT_SECONDS = 5.0
DISK_GB = 2.0


@dataclass(frozen=True, kw_only=True)
class Args(CommonArgs):
    """What works on this machine, and the command that mends each gap.

    Exit status 0: `valuefield plan` can run here. 3: something that it needs does not work.
    """


@dataclass(frozen=True)
class Check:
    """One finding. mend: the command that closes the gap. needed: whether `valuefield plan` depends on it."""

    name: str
    ok: bool
    found: str
    mend: str = ""
    needed: bool = False


def run(args: Args) -> int:
    """Make every check, show the table, and return 3 if something that is needed does not work."""
    screen = console(args)
    with screen.status("looking at this machine"):
        checks = [check() for check in CHECKS]
    works = all(check.ok for check in checks if check.needed)
    screen.print(_table(checks))
    emit(args, {"works": works, "checks": [asdict(check) | {"mend": _mend(check)} for check in checks]})
    return 0 if works else MACHINE_FAILED


def _table(checks: Iterable[Check]) -> Table:
    table = Table("", "", "found", "mend it with", box=None, pad_edge=False)
    for check in checks:
        mark = "[green]works" if check.ok else "[red]broken" if check.needed else "[yellow]absent"
        table.add_row(check.name, mark, check.found, _mend(check))
    return table


def _mend(check: Check) -> str:
    return "" if check.ok else check.mend


def python() -> Check:
    """Whether this is the Python that the packages are pinned for."""
    version = platform.python_version()
    return Check("python", sys.version_info[:2] == (3, 11), version, "make setup PYTHON=python3.11", needed=True)


def core() -> Check:
    """Whether every package of the core is installed in a release that is allowed."""
    gaps = _gaps(None)
    return Check("packages", not gaps, "; ".join(gaps) or "all of the core", "make setup", needed=True)


def extra(name: str) -> Check:
    """Whether every package of an extra is installed in a release that is allowed."""
    gaps = _gaps(name)
    return Check(f"extra {name}", not gaps, "; ".join(gaps) or "installed", f"pip install 'valuefield[{name}]'")


def _gaps(name: str | None) -> list[str]:
    """Requirements of the core or of one extra that are not met, each with what is installed instead."""
    gaps = []
    for requirement in map(Requirement, metadata.requires("valuefield") or ()):
        marker = requirement.marker
        chosen = marker is None if name is None else marker is not None and marker.evaluate({"extra": name})
        if chosen and not _installed(requirement):
            gaps.append(f"{requirement.name}{requirement.specifier} ({_version(requirement.name)})")
    return gaps


def _installed(requirement: Requirement) -> bool:
    version = _version(requirement.name)
    return version != "missing" and requirement.specifier.contains(version, prereleases=True)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def native(module: str, mend: str) -> Check:
    """Whether a compiled library loads: it may be installed and still lack a library of the system."""
    start = time.perf_counter()
    try:
        importlib.import_module(module)
    except (ImportError, OSError) as error:
        return Check(module, False, str(error), mend, needed=True)
    return Check(module, True, f"loads in {time.perf_counter() - start:.1f} s", needed=True)


def rendering() -> Check:
    """Whether MuJoCo draws a frame without a display, and what draws it."""
    backend = os.environ.get("MUJOCO_GL", "unset")
    mend = "apt-get install libegl1 libgl1-mesa-dri; export MUJOCO_GL=egl"
    try:
        drawn_by, contrast, milliseconds = _frame()
    except Exception as error:  # each backend fails in its own way: no library, no device, no context
        return Check("rendering", False, f"MUJOCO_GL={backend}: {error or type(error).__name__}", mend, needed=True)
    found = f"MUJOCO_GL={backend}, {drawn_by}, {milliseconds:.0f} ms a frame"
    return Check(
        "rendering", contrast > 0, found if contrast > 0 else f"{found}, but the frame is blank", mend, needed=True
    )


def _frame() -> tuple[str, int, float]:
    """Name of the renderer, contrast of a frame of a lit box, and the time of a second frame in ms."""
    import mujoco
    from OpenGL import GL

    box = "<mujoco><worldbody><light pos='0 0 2'/><geom type='box' size='.1 .1 .1'/></worldbody></mujoco>"
    model = mujoco.MjModel.from_xml_string(box)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    with mujoco.Renderer(model, 64, 64) as renderer:
        renderer.update_scene(data)
        renderer.render()
        start = time.perf_counter()
        frame = renderer.render()
        milliseconds = 1e3 * (time.perf_counter() - start)
        return GL.glGetString(GL.GL_RENDERER).decode(), int(frame.max()) - int(frame.min()), milliseconds


def language_endpoint() -> Check:
    """Whether the language model that the environment names answers, and accepts the key."""
    url = os.environ.get(URL)
    if not url:
        return Check("language model", True, f"{URL} is not set; `--llm rules` needs none")
    key = os.environ.get(KEY, "")
    try:
        request = urllib.request.Request(f"{url.rstrip('/')}/models", headers={"Authorization": f"Bearer {key}"})
        with urllib.request.urlopen(request, timeout=ENDPOINT_SECONDS) as answer:
            found = f"{url} answers {answer.status}, model {os.environ.get(MODEL, 'not named')}"
    except (OSError, ValueError) as error:  # URLError is an OSError
        return Check("language model", False, f"{url}: {error}", f"start the server, or correct {URL} and {KEY}")
    return Check("language model", MODEL in os.environ, found, f"export {MODEL}=NAME")


def devices(name: str, pattern: str, group: str) -> Check:
    """Which device files match `pattern`, and whether this user may read them."""
    files = sorted(Path("/dev").glob(pattern))
    closed = [str(file) for file in files if not os.access(file, os.R_OK)]
    if closed:
        return Check(name, False, f"not readable: {', '.join(closed)}", f"sudo usermod -aG {group} $USER; log in again")
    return Check(
        name, bool(files), ", ".join(map(str, files)) or "none", f"plug one in: it must appear as /dev/{pattern}"
    )


def gpu() -> Check:
    """Whether torch sees a CUDA device."""
    import torch

    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    mend = "nothing needs one; where there is one: nvidia-smi, then pip install --force-reinstall torch==2.13.0"
    return Check("GPU", bool(names), ", ".join(names) or "none; everything runs on the processor", mend)


def threads() -> Check:
    """How many cores this process may use, and what numeric libraries are told."""
    cores = len(os.sched_getaffinity(0))
    return Check("threads", True, f"{cores} cores, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}")


def disk() -> Check:
    """Whether there is room for runs under the working folder."""
    free = shutil.disk_usage(".").free / 1e9
    return Check(
        "disk", free > DISK_GB, f"{free:.0f} GB free here", f"free {DISK_GB:.0f} GB, or give --out another disk"
    )


CHECKS: tuple[Callable[[], Check], ...] = (
    python,
    core,
    lambda: native("mujoco", "make setup"),
    lambda: native("open3d", "apt-get install libusb-1.0-0"),
    lambda: native("pybullet", "make setup"),
    lambda: native("numba", "make setup"),
    lambda: native("torch", "make setup"),
    rendering,
    lambda: extra("perception"),
    lambda: extra("ray"),
    language_endpoint,
    gpu,
    lambda: devices("cameras", "video*", "video"),
    lambda: devices("input devices", "input/event*", "input"),
    threads,
    disk,
)
