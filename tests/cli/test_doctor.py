"""`doctor`: each check finds the gap it is there for."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path

import pytest

from valuefield.cli import doctor
from valuefield.cli.main import main


class Endpoint(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        welcome = self.path == "/v1/models" and self.headers["Authorization"] == "Bearer right"
        self.send_response(200 if welcome else 401)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/v1"
    monkeypatch.setenv("VALUEFIELD_LLM_URL", url)
    monkeypatch.setenv("VALUEFIELD_LLM_MODEL", "tiny")
    yield url
    server.shutdown()
    server.server_close()


def test_this_machine_is_fit_and_says_so_in_json(capfd):
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capfd.readouterr().out)
    assert report["works"] is True
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["rendering"]["ok"]
    assert "ms a frame" in checks["rendering"]["found"]
    assert all(bool(check["mend"]) != check["ok"] for check in checks.values())


def test_a_needed_gap_is_shown_with_its_command_and_status_3(capfd, monkeypatch):
    missing = lambda: doctor.native("valuefield_has_no_such_library", "apt-get install it")  # noqa: E731
    monkeypatch.setattr(doctor, "CHECKS", (doctor.python, missing))
    assert main(["doctor"]) == 3
    assert "apt-get install it" in capfd.readouterr().out


def test_a_gap_that_is_not_needed_leaves_status_0(capfd, monkeypatch):
    monkeypatch.setattr(doctor, "CHECKS", (lambda: doctor.Check("cameras", False, "none", "plug one in"),))
    assert main(["doctor"]) == 0
    assert "plug one in" in capfd.readouterr().out


def test_a_package_that_is_missing_or_too_old_is_named(monkeypatch):
    wanted = ["surely-not-installed>=1", "numpy>=999", "rich>=1", 'also-missing>=2; extra == "web"']
    monkeypatch.setattr(metadata, "requires", lambda package: wanted)
    core = doctor.core()
    assert not core.ok
    assert "surely-not-installed>=1 (missing)" in core.found
    assert f"numpy>=999 ({metadata.version('numpy')})" in core.found
    assert "rich" not in core.found
    assert doctor.extra("web").found == "also-missing>=2 (missing)"


def test_rendering_names_a_backend_that_fails(monkeypatch):
    def fail() -> None:
        raise RuntimeError("no EGL device")

    monkeypatch.setattr(doctor, "_frame", fail)
    check = doctor.rendering()
    assert not check.ok
    assert check.needed
    assert "no EGL device" in check.found


@pytest.mark.parametrize(("key", "ok"), [("right", True), ("wrong", False)])
def test_the_language_endpoint_is_asked(endpoint: str, monkeypatch, key: str, ok: bool):
    monkeypatch.setenv("VALUEFIELD_LLM_KEY", key)
    check = doctor.language_endpoint()
    assert check.ok is ok
    assert endpoint in check.found


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "no url at all"])
def test_an_endpoint_that_is_down_is_a_gap_and_not_a_fault(monkeypatch, url):
    monkeypatch.setenv("VALUEFIELD_LLM_URL", url)
    check = doctor.language_endpoint()
    assert not check.ok
    assert url in check.found


def test_without_an_endpoint_nothing_is_amiss(monkeypatch):
    monkeypatch.delenv("VALUEFIELD_LLM_URL", raising=False)
    assert doctor.language_endpoint().ok


def test_a_device_that_may_not_be_read_names_the_group(monkeypatch):
    monkeypatch.setattr(Path, "glob", lambda self, pattern: [Path("/dev/video0")])
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    check = doctor.devices("cameras", "video*", "video")
    assert not check.ok
    assert "/dev/video0" in check.found
    assert "usermod -aG video" in check.mend
