"""A centre that takes evidence, on a real socket; it answers as it is told."""

import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Put:
    """One upload as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    answer: int


class EvidenceCentre:
    """Takes PUTs; the next answers are ``answers``, then 201 for ever.

    While ``answering`` is not set, it takes a PUT and says nothing.
    """

    def __init__(self) -> None:
        self.puts: list[Put] = []
        self.answers: deque[int] = deque()
        self.answering = threading.Event()
        self.answering.set()
        centre = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                answer = centre.answers.popleft() if centre.answers else 201
                headers = {key.lower(): value for key, value in self.headers.items()}
                centre.puts.append(Put(self.path, headers, body, answer))
                centre.answering.wait()
                self.send_response(answer)
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
