"""Observation and action spaces as JSON, and how two of them differ, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, Discrete
from numpy.typing import NDArray

from ..robots.errors import BadInput

Space = gymnasium.Space[Any]


def space_to_json(space: Space) -> dict[str, Any]:
    """What `space_from_json` takes. Raises BadInput for a space that is no Box, Discrete or Dict of such."""
    match space:
        case Box():
            bounds = {"low": _text(space.low), "high": _text(space.high)}
            return {"kind": "box", "shape": list(space.shape), "dtype": str(space.dtype), **bounds}
        case Discrete():
            return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}
        case Dict():
            return {"kind": "dict", "keys": {key: space_to_json(each) for key, each in space.spaces.items()}}
    raise BadInput(f"a policy takes a Box, a Discrete or a Dict of such, not {space}")


def space_from_json(values: Mapping[str, Any]) -> Space:
    """The space that `space_to_json` was given. Raises BadInput for what it did not write."""
    try:
        match values["kind"]:
            case "box":
                shape, dtype = tuple(values["shape"]), np.dtype(values["dtype"])
                low, high = (_bound(values[name], shape, dtype) for name in ("low", "high"))
                return Box(low, high, shape, dtype.type)
            case "discrete":
                return Discrete(values["n"], start=values["start"])
            case "dict":
                return Dict({key: space_from_json(each) for key, each in values["keys"].items()})
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{str(values)[:80]} is not a space: {error!r}") from error
    raise BadInput(f"{values['kind']!r} is not a kind of space; allowed: box, discrete, dict")


def difference(theirs: Space, ours: Space) -> str:
    """How two spaces differ, for people, as `key: theirs, not ours`; empty if they are the same."""
    if theirs == ours:
        return ""
    if not (isinstance(theirs, Dict) and isinstance(ours, Dict)):
        return f"{theirs}, not {ours}"
    keys = dict.fromkeys([*theirs.spaces, *ours.spaces])
    pairs = {key: (theirs.spaces.get(key, "nothing"), ours.spaces.get(key, "nothing")) for key in keys}
    return "; ".join(f"{key}: {a}, not {b}" for key, (a, b) in pairs.items() if a != b)


def _text(bound: NDArray[Any]) -> Any:
    """A bound as text, which has words for infinity: one number where it is the same everywhere, else nested lists."""
    texts = bound.astype(str)
    return str(texts.flat[0]) if texts.size and (texts == texts.flat[0]).all() else texts.tolist()


def _bound(text: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.broadcast_to(np.asarray(text, np.float64), shape).astype(dtype)
