"""Counts, at every physics step, where a simulated arm goes beyond what it is built for."""

from __future__ import annotations

from collections import Counter

import numpy as np

from .state import Floats, Limits

_ROWS = 256


class Monitor:
    """Collects raw readings, which is cheap, and judges many of them at a time.

    A count is a number of physics steps (2 ms in MuJoCo) during which:
    - joint_range, joint_speed: the simulator's own q or dq of any joint was beyond the arm's rating;
    - torque: the controller asked for more than the rated torque of any joint (the motors saturate there);
    - self_contact: two links touched; table_contact: a moving part, fingers included, touched the table.
    """

    def __init__(self, rated: Limits) -> None:
        n = len(rated.q_min)
        self._low = np.concatenate([rated.q_min, -rated.dq_max, -rated.tau_max])
        self._high = np.concatenate([rated.q_max, rated.dq_max, rated.tau_max])
        self._kinds = {"joint_range": slice(0, n), "joint_speed": slice(n, 2 * n), "torque": slice(2 * n, 3 * n)}
        self._contacts = {"table_contact": 3 * n, "self_contact": 3 * n + 1}
        self._log, self._steps = np.empty((_ROWS, 3 * n + 2)), 0
        self._n, self._counts = n, Counter[str]()

    def record(self, q: Floats, dq: Floats, torque: Floats, contacts: Floats) -> None:
        """Note one physics step: (n,) each, and contacts (2,) of the robot with the table and with itself."""
        row, n = self._log[self._steps], self._n
        row[:n], row[n : 2 * n], row[2 * n : 3 * n], row[3 * n :] = q, dq, torque, contacts
        self._steps += 1
        if self._steps == _ROWS:
            self._judge()

    def take(self) -> dict[str, int]:
        """How many steps since the last call broke each limit; only limits that were broken are named."""
        self._judge()
        counts, self._counts = self._counts, Counter[str]()
        return {name: count for name, count in counts.items() if count}

    def _judge(self) -> None:
        log, self._steps = self._log[: self._steps], 0
        values = log[:, : 3 * self._n]
        beyond = (values < self._low) | (values > self._high)
        for name, part in self._kinds.items():
            self._counts[name] += int(beyond[:, part].any(axis=1).sum())
        for name, column in self._contacts.items():
            self._counts[name] += int((log[:, column] > 0).sum())
