"""A centre that takes evidence, on a real socket; it answers as it is told."""

import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Put:
    """One part of an upload as it came; with 201 ``body`` is all that came of the piece."""

    path: str
    headers: dict[str, str]
    body: bytes
    answer: int


class EvidenceCentre:
    """Takes parts; the next answers are ``answers``, then 204 until a piece is whole and 201.

    While ``answering`` is not set, it takes a part and says nothing. What it answers otherwise
    than with 204 it forgets. HEAD says how much it has and what it takes (``limit_bytes``), and is
    not told in ``puts``.
    """

    def __init__(self) -> None:
        self.puts: list[Put] = []
        self.answers: deque[int] = deque()
        self.answering = threading.Event()
        self.answering.set()
        self.limit_bytes = 10**9
        self._came: dict[str, bytes] = {}
        centre = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._answer(200, len(centre._came.get(self.path, b"")))

            def do_PATCH(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                came = centre._came.get(self.path, b"") + body
                whole = len(came) == int(self.headers["Upload-Length"])
                answer = centre.answers.popleft() if centre.answers else 201 if whole else 204
                headers = {key.lower(): value for key, value in self.headers.items()}
                kept = came if answer in {201, 204} else b""
                centre._came[self.path] = b"" if answer == 201 else kept
                told = came if answer == 201 else body
                centre.puts.append(Put(self.path, headers, told, answer))
                centre.answering.wait()
                self._answer(answer, len(kept) if answer == 204 else None)

            def _answer(self, status: int, offset: int | None) -> None:
                self.send_response(status)
                if offset is not None:
                    self.send_header("Upload-Offset", str(offset))
                self.send_header("Upload-Limit", f"max-size={centre.limit_bytes}")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self.answering.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
