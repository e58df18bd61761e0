"""The endpoint client over real HTTP, against a server that can be told to misbehave."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from valuefield.planners.language.cache import CachedModel
from valuefield.planners.language.model import OpenAIModel
from valuefield.planners.language.programs import LanguagePrograms
from valuefield.robots.errors import BadInput, ModelUnavailable, ProgramError

QUESTION = [{"role": "system", "content": "Answer."}, {"role": "user", "content": "Well?"}]


class Endpoint(ThreadingHTTPServer):
    """Speaks chat completions. behave(handler, number of the request) writes the response."""

    daemon_threads = True

    def __init__(self, behave):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behave, self.requests = behave, []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, self.headers["Authorization"], body))
        try:
            self.server.behave(self, len(self.server.requests))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has given up, as it should

    def answer(self, body, status=200, headers=()):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        """Stay silent."""


def completion(text):
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": "tiny",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
    }


@pytest.fixture
def serve():
    running = []

    def start(behave):
        running.append(Endpoint(behave))
        return running[-1]

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def failing(server, seconds=2.0, **options):
    """(the error, seconds it took) of asking `server`."""
    model = OpenAIModel(server.url, "tiny", "secret", seconds=seconds, **options)
    began = time.monotonic()
    with pytest.raises(ModelUnavailable) as error:
        model.complete(QUESTION)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    return str(error.value), time.monotonic() - began


def test_a_reply_arrives_and_the_request_is_what_was_asked(serve):
    server = serve(lambda request, number: request.answer(completion("x = 1")))
    assert OpenAIModel(server.url, "tiny", "secret").complete(QUESTION) == "x = 1"
    [(path, authorization, body)] = server.requests
    assert path == "/v1/chat/completions"
    assert authorization == "Bearer secret"
    assert body["model"] == "tiny"
    assert body["messages"] == QUESTION
    assert body["temperature"] == 0


def test_url_model_and_key_come_from_the_environment(serve, monkeypatch):
    server = serve(lambda request, number: request.answer(completion("fine")))
    for name, value in (("URL", server.url), ("MODEL", "from-environment"), ("KEY", "hidden")):
        monkeypatch.setenv(f"VALUEFIELD_LLM_{name}", value)
    model = OpenAIModel()
    assert model.complete(QUESTION) == "fine"
    assert server.requests[0][1] == "Bearer hidden"
    assert model.name == server.requests[0][2]["model"] == "from-environment"


@pytest.mark.parametrize("missing", ["URL", "MODEL"])
def test_what_is_missing_is_named(monkeypatch, missing):
    for name in ("URL", "MODEL", "KEY"):
        monkeypatch.setenv(f"VALUEFIELD_LLM_{name}", "http://127.0.0.1:9")
    monkeypatch.delenv(f"VALUEFIELD_LLM_{missing}")
    with pytest.raises(BadInput, match=f"VALUEFIELD_LLM_{missing}"):
        OpenAIModel()


def test_an_endpoint_that_is_down_has_its_exit_status(serve):
    server = serve(lambda request, number: None)
    server.shutdown()
    server.server_close()
    message, seconds = failing(server, retries=1)
    assert "cannot connect" in message
    assert server.url in message
    assert seconds < 2.5
    assert ModelUnavailable.exit_status == 3


def test_a_slow_endpoint_meets_the_deadline(serve):
    message, seconds = failing(serve(lambda request, number: time.sleep(5)), seconds=0.5, retries=0)
    assert "no reply within 0.5 s" in message
    assert seconds < 1.5


def drip(request, number):
    request.send_response(200)
    request.send_header("Content-Type", "application/json")
    request.end_headers()
    for _ in range(100):
        request.wfile.write(b" ")
        time.sleep(0.1)


def drip_headers(request, number):
    for _ in range(100):
        request.wfile.write(b"HTTP/1.1 200 OK\r\n"[:1])
        time.sleep(0.1)


@pytest.mark.parametrize("behave", [drip, drip_headers])
def test_an_endpoint_that_drips_meets_the_deadline_too(serve, behave):
    _, seconds = failing(serve(behave), seconds=0.7, retries=0)
    assert seconds < 1.7


def flood(request, number):
    request.send_response(200)
    request.end_headers()
    for _ in range(10_000):
        request.wfile.write(b"x" * 100_000)


def test_an_endless_reply_is_cut_off(serve):
    message, seconds = failing(serve(flood), seconds=10, retries=0)
    assert "more than 1000000 bytes" in message
    assert seconds < 5


def test_429_is_waited_out(serve):
    def busy_once(request, number):
        if number == 1:
            request.answer({"error": {"message": "slow down"}}, 429, [("Retry-After-Ms", "50")])
        else:
            request.answer(completion("at last"))

    server = serve(busy_once)
    assert OpenAIModel(server.url, "tiny", seconds=10).complete(QUESTION) == "at last"
    assert len(server.requests) == 2


def test_500s_are_tried_again_and_then_reported(serve):
    server = serve(lambda request, number: request.answer({"error": {"message": "boom"}}, 500))
    message, _ = failing(server, seconds=20, retries=2)
    assert "answered 500" in message
    assert "boom" in message
    assert len(server.requests) == 3


def test_a_refused_key_is_not_tried_again(serve):
    server = serve(lambda request, number: request.answer({"error": {"message": "bad key"}}, 401))
    message, _ = failing(server)
    assert "401" in message
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hello</html>",
        b"",
        b"[]",
        b'{"choices": []}',
        b'{"choices": [{"message": {}}]}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_nonsense_is_no_completion(serve, body):
    message, _ = failing(serve(lambda request, number: request.answer(body)))
    assert "no chat completion" in message


@pytest.mark.parametrize("text", ["", "   ", None, 5])
def test_an_empty_completion_is_told(serve, text):
    message, _ = failing(serve(lambda request, number: request.answer(completion(text))))
    assert "empty" in message


def test_whole_programs_come_from_an_endpoint(serve, make_scene):
    answers = {
        "planner": "```python\ncomposer('grasp the red block')\n# done\n```",
        "composer": "execute(parse_query_obj('gripper'), gripper_map=get_gripper_map('closed'))",
        "parse_query_obj": "ret_val = detect('gripper')",
        "get_gripper_map": "ret_val = get_empty_gripper_map()",
    }

    def behave(request, number):
        asked = request.server.requests[-1][2]["messages"][0]["content"].splitlines()[0]
        request.answer(completion(answers[asked.removeprefix("# Program: ")]))

    programs = LanguagePrograms(OpenAIModel(serve(behave).url, "tiny"))
    scene = make_scene(["red block", "blue block"])
    [text] = programs.plan("pick it up", scene)
    [subgoal] = programs.compose(text, scene)
    assert subgoal.maps(scene).gripper.default[0] == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("while True: pass", "operations|ran for more than"),
        ("x = []\nwhile True: x = x + [x]", "operations|ran for more than|at most 10000"),
        ("open('/etc/passwd')", "not known"),
        ("import os\nos.system('true')", "'import' is not allowed"),
        ("composer.__globals__", "underscore"),
        ("No code today.", "invalid syntax"),
    ],
)
def test_hostile_code_from_an_endpoint_ends_in_one_clear_line(serve, make_scene, code, message):
    def behave(request, number):
        request.answer(completion(f"{code}\n# {number}"))

    programs = LanguagePrograms(OpenAIModel(serve(behave).url, "tiny"), seconds=0.3)
    with pytest.raises(ProgramError, match=message) as error:
        programs.plan("pick it up", make_scene(["red block"]))
    assert "\n" not in str(error.value)
    assert error.value.exit_status == 2


class Fixed:
    name = "fixed"

    def __init__(self, text):
        self.text, self.asked = text, 0

    def complete(self, messages):
        self.asked += 1
        return self.text


def test_replies_are_kept_as_json_and_asked_once(tmp_path):
    model = Fixed("x = 1")
    for _ in range(3):
        assert CachedModel(model, tmp_path / "cache").complete(QUESTION) == "x = 1"
    assert model.asked == 1
    [path] = (tmp_path / "cache").iterdir()
    assert len(path.stem) == 64
    entry = json.loads(path.read_text())
    assert (entry["model"], entry["prompt"], entry["messages"], entry["reply"]) == (
        "fixed",
        QUESTION[0],
        QUESTION[1:],
        "x = 1",
    )


def test_another_model_or_question_is_another_entry(tmp_path):
    CachedModel(Fixed("a"), tmp_path).complete(QUESTION)
    other = Fixed("b")
    other.name = "other"
    assert CachedModel(other, tmp_path).complete(QUESTION) == "b"
    assert CachedModel(Fixed("c"), tmp_path).complete(QUESTION[:1]) == "c"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("spoiled", ["", "{", "[]", '{"reply": 5}', '{"reply": "forged"}'])
def test_a_spoiled_entry_is_asked_for_again(tmp_path, spoiled):
    CachedModel(Fixed("a"), tmp_path).complete(QUESTION)
    [path] = tmp_path.iterdir()
    path.write_text(spoiled)
    model = Fixed("b")
    assert CachedModel(model, tmp_path).complete(QUESTION) == "b"
    assert CachedModel(model, tmp_path).complete(QUESTION) == "b"
    assert model.asked == 1


def test_failures_are_not_kept(tmp_path):
    class Down(Fixed):
        def complete(self, messages):
            raise ModelUnavailable("down")

    with pytest.raises(ModelUnavailable):
        CachedModel(Down(""), tmp_path).complete(QUESTION)
    assert list(tmp_path.iterdir()) == []
