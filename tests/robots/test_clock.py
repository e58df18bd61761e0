"""The real clock, on a time that the test makes."""

import pytest

from valuefield.robots import clock


class FakeTime:
    def __init__(self) -> None:
        self.t = 100.0

    def monotonic(self) -> float:
        return self.t

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.t += seconds


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    fake = FakeTime()
    monkeypatch.setattr(clock, "time", fake)
    return fake


def test_ticks_keep_their_beat_whatever_happens_between_them(time: FakeTime) -> None:
    real = clock.RealClock()
    for k, work in enumerate((0.004, 0.0, 0.009), start=1):
        time.t += work
        real.wait(0.01)
        assert real.now() == pytest.approx(100.0 + 0.01 * k)


def test_late_tick_is_not_made_up_for(time: FakeTime) -> None:
    real = clock.RealClock()
    time.t += 0.05
    real.wait(0.01)
    assert real.now() == pytest.approx(100.05)
    real.wait(0.01)
    assert real.now() == pytest.approx(100.06)
