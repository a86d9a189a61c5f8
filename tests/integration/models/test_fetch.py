import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from models import manifest
from models.__main__ import run
from models.errors import ModelError
from models.fetch import TOTAL_TIMEOUT_S, fetch, https_client
from models.store import ModelStore
from protocol.clock import FakeClock
from tests.support import own_models

CONTENT = b"weights " * 20_000
ENTRY = replace(
    manifest.load()[0],
    file="tiny.onnx",
    size_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    url="https://models.invalid/tiny.onnx",
)


class Answer(BaseHTTPRequestHandler):
    """Answers what the server was told to; ranges too, where it was told to know them."""

    def do_GET(self):
        status, headers, body = self.server.answer  # type: ignore[attr-defined]
        asked = self.headers.get("range")
        self.server.asked.append(asked)  # type: ignore[attr-defined]
        if asked is not None and headers.get("accept-ranges") == "bytes":
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            total = len(body)
            status, body = 206, body[begin:]
            headers = {"content-range": f"bytes {begin}-{total - 1}/{total}"} | headers
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            return  # the client has seen enough

    def log_message(self, *args):
        pass


class ToLocal(httpx.BaseTransport):
    """Carries what is meant for the https address to the local server."""

    def __init__(self, port):
        self._port = port
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request):
        assert request.url.scheme == "https"
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        return self._inner.handle_request(
            httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        )

    def close(self):
        self._inner.close()


@contextmanager
def serving(body=CONTENT, status=200, headers=None, asked=None) -> Iterator[int]:
    """Serve one answer and give the port; ``asked`` gets the range of each request, or None."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.answer = (status, headers or {}, body)  # type: ignore[attr-defined]
    server.asked = [] if asked is None else asked  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def reaching(**answer) -> Iterator[httpx.Client]:
    """Serve one answer and give a client that gets it."""
    with serving(**answer) as port, httpx.Client(transport=ToLocal(port)) as client:
        yield client


def is_empty(folder):
    return not folder.exists() or not list(folder.iterdir())


def test_a_model_is_downloaded_checked_and_named(tmp_path):
    told = []
    folder = tmp_path / "new" / "folder"
    with reaching(headers={"content-length": str(len(CONTENT))}) as client:
        path = fetch(ENTRY, folder, client=client, progress=told.append)
    assert path == folder / "tiny.onnx"
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o777 == 0o644
    assert [child.name for child in folder.iterdir()] == ["tiny.onnx"]
    assert told == sorted(told)
    assert told[-1] == len(CONTENT)
    assert ModelStore([folder], environ={}, entries=[ENTRY]).select().path == path


@pytest.mark.parametrize(
    ("body", "status", "headers", "rule"),
    [
        (CONTENT + b"x", 200, {}, "must have 160000 bytes, has more"),
        (CONTENT * 50, 200, {}, "must have 160000 bytes, has more"),
        (CONTENT[:-1] + b"x", 200, {}, "sha256 must be"),
        (b"not found", 404, {}, "must answer 200, not 404"),
        (b"", 302, {"location": "https://elsewhere.invalid/"}, "must answer 200, not 302"),
        (b"", 200, {"content-length": "999999999999"}, "must have 160000 bytes, not 999999999999"),
    ],
)
def test_anything_else_is_refused_and_leaves_nothing_behind(tmp_path, body, status, headers, rule):
    with (
        reaching(body=body, status=status, headers=headers) as client,
        pytest.raises(ModelError, match=rule),
    ):
        fetch(ENTRY, tmp_path / "models", client=client)
    assert is_empty(tmp_path / "models")


def test_a_good_file_is_not_lost_to_a_bad_download(tmp_path):
    (tmp_path / "tiny.onnx").write_bytes(CONTENT)
    with reaching(body=b"rubbish") as client, pytest.raises(ModelError):
        fetch(ENTRY, tmp_path, client=client)
    assert (tmp_path / "tiny.onnx").read_bytes() == CONTENT


def break_off(folder, *, announced=True):
    """Have a line break after so many bytes; only of an announced length does the line say so."""
    headers = {"content-length": str(len(CONTENT))} if announced else {}
    rule = r"models\.invalid" if announced else "must have 160000 bytes, not 1000"
    with (
        reaching(body=CONTENT[:1000], headers=headers) as client,
        pytest.raises(ModelError, match=rule),
    ):
        fetch(ENTRY, folder, client=client)


def part_of(folder):
    (part,) = folder.glob(".tiny.onnx.*.part")
    return part


@pytest.mark.parametrize("announced", [True, False])
def test_what_came_before_a_line_broke_is_no_model_yet(tmp_path, announced):
    break_off(tmp_path, announced=announced)
    assert part_of(tmp_path).read_bytes() == CONTENT[:1000]
    with pytest.raises(ModelError, match="must be in one of"):
        ModelStore([tmp_path], environ={}, entries=[ENTRY]).select()


@pytest.mark.parametrize(
    ("headers", "told_first"),
    [
        ({"accept-ranges": "bytes"}, 1000 + 65_536),  # it goes on
        ({}, 65_536),  # a server that knows no ranges sends the whole again
    ],
)
def test_the_next_call_goes_on_where_the_line_broke(tmp_path, headers, told_first):
    break_off(tmp_path)
    asked, told = [], []
    with reaching(headers=headers, asked=asked) as client:
        path = fetch(ENTRY, tmp_path, client=client, progress=told.append)
    assert path.read_bytes() == CONTENT
    assert [child.name for child in tmp_path.iterdir()] == ["tiny.onnx"]
    assert asked == ["bytes=1000-"]
    assert told[0] <= told_first
    assert (told[0] > 1000) or not headers
    assert told[-1] == len(CONTENT)


def test_a_part_of_other_content_is_noticed_and_the_next_call_begins_anew(tmp_path):
    break_off(tmp_path)
    part_of(tmp_path).write_bytes(b"x" * 1000)
    with (
        reaching(headers={"accept-ranges": "bytes"}) as client,
        pytest.raises(ModelError, match="sha256 must be"),
    ):
        fetch(ENTRY, tmp_path, client=client)
    assert is_empty(tmp_path)


def test_a_part_that_is_too_long_is_begun_anew(tmp_path):
    break_off(tmp_path)
    part_of(tmp_path).write_bytes(CONTENT + b"x")
    with reaching(headers={"accept-ranges": "bytes"}) as client:
        assert fetch(ENTRY, tmp_path, client=client).read_bytes() == CONTENT


def test_a_part_that_is_whole_needs_no_network(tmp_path):
    break_off(tmp_path)
    part_of(tmp_path).write_bytes(CONTENT)
    with httpx.Client(transport=httpx.MockTransport(lambda _: pytest.fail("asked"))) as client:
        assert fetch(ENTRY, tmp_path, client=client).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"content-range": "bytes 999-159999/160000"}, "must answer 200, not 206"),
        ({"content-range": "bytes 1000-159998/159999"}, "must answer 200, not 206"),
        ({"content-length": "158999"}, "must have 159000 bytes, not 158999"),
    ],
)
def test_another_rest_than_was_asked_for_is_refused(tmp_path, headers, rule):
    break_off(tmp_path)
    with (
        reaching(headers={"accept-ranges": "bytes"} | headers) as client,
        pytest.raises(ModelError, match=rule),
    ):
        fetch(ENTRY, tmp_path, client=client)
    assert not (tmp_path / "tiny.onnx").exists()


def test_a_rest_that_nobody_asked_for_is_refused(tmp_path):
    headers = {"content-range": "bytes 0-159999/160000"}
    with (
        reaching(status=206, headers=headers) as client,
        pytest.raises(ModelError, match="must answer 200, not 206"),
    ):
        fetch(ENTRY, tmp_path, client=client)
    assert is_empty(tmp_path)


def test_a_second_download_of_the_same_file_is_refused(tmp_path):
    with reaching() as client:

        def meanwhile(_bytes):
            with pytest.raises(ModelError, match="another download of it is under way"):
                fetch(ENTRY, tmp_path, client=client)

        assert fetch(ENTRY, tmp_path, client=client, progress=meanwhile).read_bytes() == CONTENT


def test_a_server_that_is_not_there_is_an_error_of_ours(tmp_path):
    with serving() as port:
        gone = port
    with (
        httpx.Client(transport=ToLocal(gone)) as client,
        pytest.raises(ModelError, match=r"models\.invalid"),
    ):
        fetch(ENTRY, tmp_path, client=client)
    assert is_empty(tmp_path)


def test_a_download_that_drips_is_given_up(tmp_path):
    class Hurrying(FakeClock):
        def monotonic_ns(self):
            self.advance(TOTAL_TIMEOUT_S)
            return super().monotonic_ns()

    clock = Hurrying(datetime(2026, 11, 22, tzinfo=UTC))
    with reaching() as client, pytest.raises(ModelError, match="must come within 600 s"):
        fetch(ENTRY, tmp_path, client=client, clock=clock)
    assert not (tmp_path / "tiny.onnx").exists()


def test_an_answer_without_https_is_not_taken(tmp_path):
    plain = replace(ENTRY, url="http://models.invalid/tiny.onnx")
    answer = httpx.MockTransport(lambda _: httpx.Response(200, content=CONTENT))
    with httpx.Client(transport=answer) as client, pytest.raises(ModelError, match="https"):
        fetch(plain, tmp_path, client=client)
    assert is_empty(tmp_path)


def test_a_folder_that_can_not_be_written_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with https_client() as client, pytest.raises(ModelError, match="file/models"):
        fetch(ENTRY, blocked / "models", client=client)


def test_the_bundled_model_has_nothing_to_fetch(tmp_path):
    with https_client() as client, pytest.raises(ModelError, match="there is nothing to fetch"):
        fetch(manifest.load()[1], tmp_path, client=client)


def test_the_command_line_lists_verifies_and_fetches(tmp_path):
    environ = {"XDG_CACHE_HOME": str(tmp_path), "TANSHAO_ASSETS": "/nonexistent"}
    store = ModelStore(environ=environ, entries=[ENTRY, manifest.load()[1]])

    told = []

    def command(*arguments):
        said = []
        with serving() as port:
            transport = ToLocal(port)
            status = run(
                arguments,
                lambda _dirs: store,
                said.append,
                lambda: httpx.Client(transport=transport),
                lambda entry, got_bytes: told.append((entry.name, got_bytes)),
            )
        return status, said

    status, said = command("list")
    order = "auto (person: rtmdet-nano-person, then ssdlite-mobilenetv2-person)"
    assert status == 0
    assert said[-1].startswith(f"{order}: ssdlite-mobilenetv2-person (fallback: tiny.onnx of model")
    assert command("verify")[0] == 1
    path = tmp_path / "tanshao" / "models" / "tiny.onnx"
    assert command("fetch") == (0, [f"rtmdet-nano-person: {path}"])
    assert told[-1] == ("rtmdet-nano-person", len(CONTENT))
    assert command("fetch") == (0, [f"rtmdet-nano-person: {path}: is there already"])
    status, said = command("verify")
    assert (status, said[0]) == (0, f"rtmdet-nano-person: {path}: as in the manifest")
    assert command("list")[1][-1] == f"{order}: rtmdet-nano-person"
    assert command("fetch", "ssdlite-mobilenetv2-person")[0] == 1


def test_the_command_line_says_how_to_carry_a_model_by_hand(tmp_path):
    environ = {"XDG_CACHE_HOME": str(tmp_path), "TANSHAO_ASSETS": "/nonexistent"}
    store = ModelStore(environ=environ, entries=[ENTRY])
    said = []
    with serving(status=503, body=b"") as port:
        transport = ToLocal(port)
        assert (
            run(
                ["fetch"],
                lambda _dirs: store,
                said.append,
                lambda: httpx.Client(transport=transport),
            )
            == 1
        )
    assert said[-1].startswith("carry it by hand: put tiny.onnx (160000 bytes")
    assert run(["list"], lambda _dirs: store, said.append) == 1


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "must be in one of"),
        (CONTENT[:-1], "must have 160000 bytes, not 159999"),
        (CONTENT[:-1] + b"x", "sha256 must be"),
    ],
)
def test_a_missing_short_or_altered_file_is_not_verified(tmp_path, content, rule):
    if content is not None:
        (tmp_path / "tiny.onnx").write_bytes(content)
    said = []
    environ = {"TANSHAO_ASSETS": "/nonexistent"}

    def store(folders):
        return ModelStore(folders, environ, [ENTRY])

    assert run(["--dir", str(tmp_path), "verify"], store, said.append) == 1
    assert rule in said[0]


def test_the_command_line_knows_the_users_own_models_and_what_is_wrong_with_them(tmp_path):
    own_models.put(tmp_path / "good", "my-yolo", b"weights")
    own_models.put(tmp_path / "bad", "other", b"weights", "nonsense")
    said = []

    def store(folders):
        return ModelStore(folders, {"TANSHAO_ASSETS": "/nonexistent"})

    def command(*arguments):
        said.clear()
        return run(arguments, store, said.append)

    good, bad = ["--dir", str(tmp_path / "good")], ["--dir", str(tmp_path / "bad")]
    assert command(*good, "list") == 0
    assert any(line.startswith("my-yolo  1") and " own " in line for line in said)
    assert command(*good, "verify", "my-yolo") == 0
    assert command(*good, *bad, "list") == 1
    assert any(str(tmp_path / "bad") in line for line in said)
    assert command(*good, *bad, "verify", "my-yolo") == 1


def test_the_command_line_names_the_models_there_are():
    with pytest.raises(ModelError, match="must be one of"):
        run(["verify", "yolo"], lambda _dirs: ModelStore(environ={}), lambda _: None)
