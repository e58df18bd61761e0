import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from valuefield.envs import episodes
from valuefield.envs.episodes import EpisodeHeader, EpisodeWriter, Step, read_episode
from valuefield.envs.episodes_columns import Column
from valuefield.envs.episodes_journal import RecordingFailed, recover
from valuefield.robots.errors import BadInput

HEADER = EpisodeHeader(
    env="tabletop/open_drawer-v0",
    instruction="open the top drawer",
    action="ee_delta",
    ctrl_dt=0.05,
    seed=7,
    variation=2,
    reset_info={"objects": {4: ("top drawer", "handle")}, "roles": {"target": "top drawer"}},
)


def observation(k):
    rng = np.random.default_rng(k)
    return {
        "q": rng.normal(size=7),
        "touch": rng.normal(size=6).astype(np.float32),
        "time": np.array([0.05 * k]),
        "language": np.array([k, 2, 3]),
        "rgb/front": np.full((8, 10, 3), 10 * k, dtype=np.uint8),
        "depth/front": np.round(rng.uniform(0, 3, (8, 10)), 3).astype(np.float32),
        "seg/front": rng.integers(-1, 60, (8, 10)).astype(np.int32),
        "cam_pose/front": rng.normal(size=(4, 4)),
    }


def step(k, **changes):
    return replace(Step(action=np.full(7, 0.1 * k), reward=0.5 * k, terminated=False, truncated=False), **changes)


def write(directory, steps=3):
    with EpisodeWriter(directory, HEADER, observation(0)) as writer:
        for k in range(1, steps + 1):
            writer.step(step(k), observation(k))
        return writer.finish(success=True)


def test_what_is_written_is_read_back(tmp_path):
    with EpisodeWriter(tmp_path, HEADER, observation(0)) as writer:
        taken = step(
            1,
            policy_action=np.zeros(7),
            intervened=True,
            takeover_start=True,
            approved=True,
            info={"a": {"b": np.float32(2)}},
        )
        writer.step(taken, observation(1))
        writer.step(step(2, terminated=True), observation(2))
        path = writer.finish(success=True)
    episode = read_episode(path)
    assert path.name == "episode-000000.parquet" and os.listdir(tmp_path) == [path.name]
    assert (episode.success, episode.complete) == (True, True)
    assert replace(episode.header, reset_info={}) == replace(HEADER, reset_info={})
    assert episode.header.reset_info["objects"] == {"4": ["top drawer", "handle"]}
    first, second = episode.steps
    assert (first.intervened, first.takeover_start, first.approved) == (True, True, True)
    assert (first.terminated, first.truncated, second.approved) == (False, False, False)
    assert (first.reward, first.info) == (0.5, {"a": {"b": 2.0}})
    np.testing.assert_array_equal(first.policy_action, np.zeros(7))
    np.testing.assert_array_equal(second.action, np.full(7, 0.2))
    assert second.policy_action is None and second.terminated and not second.intervened


def test_observations_keep_values_types_and_shapes(tmp_path):
    episode = read_episode(write(tmp_path))
    for key, first in observation(0).items():
        values = episode.obs[key]
        assert values.shape == (4, *first.shape) and values.dtype == first.dtype, key
        expected = np.stack([observation(k)[key] for k in range(4)])
        tolerance = {"rgb/front": 3, "depth/front": 5e-4}.get(key, 0)
        np.testing.assert_allclose(values, expected, atol=tolerance, rtol=0, err_msg=key)


def test_some_keys_can_be_read_alone(tmp_path):
    path = write(tmp_path)
    assert list(read_episode(path, keys=["q"]).obs) == ["q"]
    with pytest.raises(BadInput, match="has no qq; it has: q, touch"):
        read_episode(path, keys=["qq"])


def test_depth_beyond_sixteen_bits_is_invalid_and_ids_beyond_are_refused():
    far = Column.of("depth/front", np.array([[1.0, 70.0]], np.float32))
    stored = pa.chunked_array([[far.encode(np.array([[1.0, 70.0]], np.float32))]])
    np.testing.assert_allclose(far.decode(stored), [[[1.0, 0.0]]])
    with pytest.raises(BadInput, match="allowed: -1 to 65534"):
        Column.of("seg/front", np.array([[0]])).encode(np.array([[70000]]))


def test_numbers_go_up_also_over_gaps_and_foreign_journals(tmp_path):
    (tmp_path / "episode-000004.parquet").touch()
    assert write(tmp_path).name == "episode-000005.parquet"
    assert write(tmp_path).name == "episode-000006.parquet"


def test_left_early_an_episode_is_kept_with_unknown_success(tmp_path):
    with pytest.raises(KeyboardInterrupt), EpisodeWriter(tmp_path, HEADER, observation(0)) as writer:
        writer.step(step(1), observation(1))
        raise KeyboardInterrupt
    episode = read_episode(tmp_path / "episode-000000.parquet")
    assert (len(episode.steps), episode.success, episode.complete) == (1, None, True)


CHILD = """
import sys, time
sys.path.insert(0, {here!r})
from test_episodes import HEADER, EpisodeWriter, observation, step
writer = EpisodeWriter({directory!r}, HEADER, observation(0))
for k in range(1, 6):
    writer.step(step(k), observation(k))
print("written", flush=True)
time.sleep(60)
"""


def test_every_flushed_step_survives_a_kill(tmp_path):
    code = CHILD.format(here=str(Path(__file__).parent), directory=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline() == "written\n"
        assert recover(tmp_path) == []  # its writer lives
        child.send_signal(signal.SIGKILL)
    (found,) = recover(tmp_path)
    assert (found.steps, found.broken) == (5, False)
    assert str(found) == f"recovered 5 steps of {tmp_path}/episode-000000.journal into {found.path}"
    episode = read_episode(found.path)
    assert (episode.success, episode.complete, episode.header.seed) == (None, False, 7)
    np.testing.assert_array_equal(episode.obs["q"][5], observation(5)["q"])
    assert os.listdir(tmp_path) == ["episode-000000.parquet"] and recover(tmp_path) == []


def test_a_record_that_is_cut_off_anywhere_is_dropped(tmp_path):
    writer = EpisodeWriter(tmp_path, HEADER, observation(0))
    writer.step(step(1), observation(1))
    whole = writer.path.stat().st_size
    writer.step(step(2), observation(2))
    journal = writer.path.read_bytes()
    for size in np.linspace(whole, len(journal) - 1, 15).astype(int):
        copy = tmp_path / str(size)
        copy.mkdir()
        (copy / "episode-000000.journal").write_bytes(journal[:size])
        (found,) = recover(copy)
        assert (found.steps, found.broken) == (1, size != whole)
        assert ("cut off" in str(found)) == (size != whole)
        assert len(read_episode(found.path).steps) == 1


@pytest.mark.parametrize("size", [0, 3, 100])
def test_a_journal_without_a_record_is_removed(tmp_path, size):
    journal = EpisodeWriter(tmp_path, HEADER, observation(0)).path
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / journal.name).write_bytes(journal.read_bytes()[:size])
    (found,) = recover(copy)
    assert (found.path, found.steps, os.listdir(copy)) == (None, 0, [])
    assert "no whole record" in str(found)


def test_a_full_disk_is_one_clear_error_and_keeps_what_was_flushed(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    writer = EpisodeWriter(tmp_path, HEADER, observation(0))
    writer.step(step(1), observation(1))
    with open("/dev/full", "wb") as full:
        os.dup2(full.fileno(), writer._journal._file.fileno())
    with pytest.raises(RecordingFailed, match=r"episode-000000\.journal: No space left on device"):
        writer.step(step(2), observation(2))
    with pytest.raises(RecordingFailed, match="No space left"):
        writer.finish(success=True)
    del writer
    assert [found.steps for found in recover(tmp_path)] == [1]


def test_a_directory_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RecordingFailed, match=f"cannot write {tmp_path}/file/runs"):
        EpisodeWriter(tmp_path / "file" / "runs", HEADER, observation(0))


def test_another_schema_is_refused_by_both_names(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(episodes, "SCHEMA", 99)
        path = write(tmp_path)
    with pytest.raises(BadInput, match="schema 99; this version reads schemas 1 to 2"):
        read_episode(path)


def test_an_episode_from_before_there_was_approval_is_read_without_it(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(episodes, "SCHEMA", 1)
        patch.setattr(episodes, "_STEP", episodes._STEP.remove(episodes._STEP.get_field_index("approved")))
        path = write(tmp_path)
    assert "approved" not in pq.ParquetFile(path).schema_arrow.names
    episode = read_episode(path)
    assert [each.approved for each in episode.steps] == [False] * 3
    assert [each.reward for each in episode.steps] == [0.5, 1.0, 1.5]


def test_what_is_not_an_episode_is_refused(tmp_path):
    with pytest.raises(BadInput, match="is not an episode"):
        read_episode(tmp_path / "missing.parquet")
    (tmp_path / "text.parquet").write_text("hello, hello, hello")
    with pytest.raises(BadInput, match="is not an episode"):
        read_episode(tmp_path / "text.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    with pytest.raises(BadInput, match="something else"):
        read_episode(tmp_path / "other.parquet")


def test_values_that_cannot_be_kept_are_refused(tmp_path):
    with pytest.raises(BadInput, match="numbers and truth values"):
        EpisodeWriter(tmp_path, HEADER, {"text": np.array(["a"])})
    with pytest.raises(BadInput, match="object"):
        EpisodeWriter(tmp_path, replace(HEADER, reset_info={"a": object()}), observation(0))
    writer = EpisodeWriter(tmp_path, HEADER, observation(0))
    with pytest.raises(BadInput, match=r"changed: depth/front, q"):
        writer.step(step(1), {key: value for key, value in observation(1).items() if key not in ("q", "depth/front")})
    with pytest.raises(BadInput, match=r"q was \(7,\) at the first step and is \(8,\) now"):
        writer.step(step(1), observation(1) | {"q": np.zeros(8)})
    with pytest.raises(BadInput, match="row of numbers"):
        writer.step(step(1, action=np.zeros((1, 7))), observation(1))
    assert [len(read_episode(writer.finish(None)).steps)] == [0]
