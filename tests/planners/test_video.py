"""MP4s: what was written can be read back, picture by picture."""

from pathlib import Path

import av
import numpy as np
import pytest

from valuefield.planners.video import Video
from valuefield.robots.errors import BadInput


def _read(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def test_every_picture_comes_back(tmp_path: Path):
    path = tmp_path / "made" / "video.mp4"
    with Video(path, fps=20.0) as video:
        for level in (20, 120, 220):
            video.write(np.full((64, 96, 3), level, np.uint8))
    read = _read(path)
    assert [picture.shape for picture in read] == [(64, 96, 3)] * 3
    assert [abs(float(picture.mean()) - level) < 6 for picture, level in zip(read, (20, 120, 220), strict=True)] == [
        True
    ] * 3
    with av.open(str(path)) as file:
        assert file.streams.video[0].average_rate == 20


def test_odd_sizes_lose_their_last_line(tmp_path: Path):
    with Video(tmp_path / "odd.mp4") as video:
        video.write(np.zeros((63, 95, 3), np.uint8))
    assert _read(tmp_path / "odd.mp4")[0].shape == (62, 94, 3)


def test_an_error_inside_keeps_what_was_written(tmp_path: Path):
    def fail() -> None:
        with Video(tmp_path / "cut.mp4") as video:
            for _ in range(5):
                video.write(np.zeros((64, 64, 3), np.uint8))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert len(_read(tmp_path / "cut.mp4")) == 5


@pytest.mark.parametrize("bad", [np.zeros((64, 64, 3)), np.zeros((64, 64), np.uint8), np.zeros((32, 64, 3), np.uint8)])
def test_another_size_or_type_is_refused(tmp_path: Path, bad: np.ndarray):
    with Video(tmp_path / "a.mp4") as video:
        video.write(np.zeros((64, 64, 3), np.uint8))
        with pytest.raises(BadInput, match="a picture"):
            video.write(bad)
