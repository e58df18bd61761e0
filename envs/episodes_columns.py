"""How one key of an observation is kept in a column of an episode."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from ..robots.errors import BadInput

Encoding = Literal["array", "jpeg", "millimetres", "ids"]

JPEG_QUALITY = 95
_MOST = 2**16 - 1


@dataclass(frozen=True, slots=True)
class Column:
    """A key, and how its values are stored.

    encoding: "jpeg" for `rgb/` (lossy), "millimetres" for `depth/` (16-bit PNG, rounded to 1 mm; 65.5 m and more
    become 0 = invalid), "ids" for `seg/` (16-bit PNG of id + 1), "array" for all else (exact).
    """

    key: str
    encoding: Encoding
    shape: tuple[int, ...]
    dtype: str

    @classmethod
    def of(cls, key: str, value: Any) -> Column:
        """Choose the encoding from the key, the shape and the type of a first `value`. Raises BadInput."""
        array = np.asarray(value)
        if array.dtype.kind not in "bifu":
            raise BadInput(f"{key} has type {array.dtype}; an episode keeps numbers and truth values")
        kind = (key.partition("/")[0], array.dtype.kind, array.ndim)
        encodings: dict[Any, Encoding] = {
            ("rgb", "u", 3): "jpeg",
            ("depth", "f", 2): "millimetres",
            ("seg", "i", 2): "ids",
        }
        return cls(key, encodings.get(kind, "array"), array.shape, array.dtype.name)

    def field(self, prefix: str = "") -> pa.Field:
        """Describe the column to Arrow, under the name `prefix` + key; `from_field` undoes it."""
        stored = pa.binary()
        if self.encoding == "array":
            stored = pa.list_(pa.from_numpy_dtype(np.dtype(self.dtype)), int(np.prod(self.shape)))
        notes = {"encoding": self.encoding, "shape": ",".join(map(str, self.shape)), "dtype": self.dtype}
        return pa.field(prefix + self.key, stored, metadata=notes)

    @classmethod
    def from_field(cls, field: pa.Field, prefix: str = "") -> Column:
        """Read back what `field` wrote."""
        notes = {key.decode(): value.decode() for key, value in field.metadata.items()}
        shape = tuple(int(size) for size in notes["shape"].split(",") if size)
        encoding: Any = notes["encoding"]
        return cls(field.name.removeprefix(prefix), encoding, shape, notes["dtype"])

    def encode(self, value: Any) -> Any:
        """Return what is stored for `value`. Raises BadInput when it is not of the first value's shape."""
        array = np.asarray(value)
        if array.shape != self.shape:
            raise BadInput(f"{self.key} was {self.shape} at the first step and is {array.shape} now")
        if self.encoding == "array":
            return array.astype(self.dtype).ravel()
        if self.encoding == "jpeg":
            return _to_bytes(array, "JPEG", quality=JPEG_QUALITY)
        counts = np.rint(array * 1000) if self.encoding == "millimetres" else array + 1
        if self.encoding == "millimetres":
            counts = np.where(counts > _MOST, 0, counts)
        elif counts.min() < 0 or counts.max() > _MOST:
            raise BadInput(f"{self.key} holds ids from {array.min()} to {array.max()}; allowed: -1 to {_MOST - 1}")
        return _to_bytes(counts.astype(np.uint16), "PNG", compress_level=1)

    def decode(self, stored: pa.ChunkedArray) -> NDArray[Any]:
        """(T, *shape): all values of the column, in the type they had."""
        if self.encoding == "array":
            flat = stored.combine_chunks().flatten().to_numpy(zero_copy_only=False)
            return np.asarray(flat.astype(self.dtype, copy=False).reshape(len(stored), *self.shape))
        images = [np.asarray(Image.open(io.BytesIO(one.as_py()))) for one in stored]
        values = np.stack(images) if images else np.empty((0, *self.shape))
        if self.encoding == "millimetres":
            return (values / 1000).astype(self.dtype)
        return (values.astype(np.int64) - 1).astype(self.dtype) if self.encoding == "ids" else values


def columns_of(obs: Mapping[str, Any]) -> list[Column]:
    """One column for each key of a first observation. Raises BadInput."""
    return [Column.of(key, value) for key, value in obs.items()]


def _to_bytes(image: NDArray[Any], kind: str, **options: int) -> bytes:
    stored = io.BytesIO()
    Image.fromarray(image).save(stored, kind, **options)
    return stored.getvalue()
