"""Writing an MP4 picture by picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from ..robots.errors import BadInput

CODECS = ("libx264", "mpeg4")
"""H.264, which every browser plays; builds of FFmpeg without it have at least MPEG-4 part 2."""


class Video:
    """An MP4 that grows by one picture a `write` and is whole after `close`; a context manager closes it.

    pictures: (H, W, 3) uint8, all of one size; an odd last row or column is left out, for the codec wants even sizes.
    """

    def __init__(self, path: Path, *, fps: float = 20.0) -> None:
        import av

        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        codec = next(name for name in CODECS if name in av.codecs_available)
        self._file = av.open(str(path), "w", options={"movflags": "+faststart"})
        self._stream = self._file.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
        self._stream.pix_fmt = "yuv420p"
        self._shape: tuple[int, ...] | None = None

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Append one picture. Raises BadInput for one of another size or type than the first."""
        import av

        if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
            raise BadInput(f"a picture is (H, W, 3) uint8, not {picture.shape} {picture.dtype}")
        if self._shape is None:
            self._shape = picture.shape
            self._stream.height, self._stream.width = picture.shape[0] & ~1, picture.shape[1] & ~1
        if picture.shape != self._shape:
            raise BadInput(f"a picture of this video is {self._shape}, not {picture.shape}")
        even = np.ascontiguousarray(picture[: self._stream.height, : self._stream.width])
        self._file.mux(self._stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))

    def close(self) -> None:
        """Write what the encoder still holds, and the index."""
        if self._shape is not None:
            self._file.mux(self._stream.encode())
        self._file.close()

    def __enter__(self) -> Video:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
