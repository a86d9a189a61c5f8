"""A camera that has JPEG pictures by HTTP and no RTSP: a real server on a free port."""

import hashlib
import http.server
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, Self

import cv2
import numpy as np

USER, PASSWORD = "viewer", "long and of nobody"
_REALM, _NONCE = "camera", "7f3a"


def drawn(number: int, width: int = 320, height: int = 240) -> bytes:
    """Return a picture with its number written into it."""
    picture = np.full((height, width, 3), 60 + number % 100, np.uint8)
    cv2.putText(picture, str(number), (20, 120), cv2.FONT_HERSHEY_SIMPLEX, 3, (255, 255, 255), 4)
    return cv2.imencode(".jpg", picture)[1].tobytes()


class HttpCamera:
    """Serves ``/snapshot.jpg`` and ``/video.mjpg``, ``fps`` a second; a context.

    ``login``: what it asks for. ``picture`` makes the n-th one. ``logins`` are the headers of
    ``Authorization`` that came.
    """

    def __init__(
        self,
        *,
        login: Literal["digest", "basic"] | None = None,
        fps: float = 10,
        picture: Callable[[int], bytes] = drawn,
        certificate: Path | None = None,
    ) -> None:
        self.logins: list[str] = []
        self.asked = 0
        self._login = login
        self._wait_s = 1 / fps
        self._picture = picture
        self._over = threading.Event()
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self._scheme = "https"
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def url(self, path: str) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_port}{path}"

    def _answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        given = request.headers.get("Authorization", "")
        if given:
            self.logins.append(given)
        if self._login is not None and not self._is_right(given, request.path):
            challenge = f'realm="{_REALM}"'
            if self._login == "digest":
                challenge += f', nonce="{_NONCE}", qop="auth"'
            request.send_response(401)
            request.send_header("WWW-Authenticate", f"{self._login.title()} {challenge}")
            request.end_headers()
        elif request.path == "/snapshot.jpg":
            self._send(request, "image/jpeg", [self._next()])
        elif request.path == "/video.mjpg":
            self._send(request, 'multipart/x-mixed-replace; boundary="shot"', self._parts())
        else:
            request.send_error(404)

    def _next(self) -> bytes:
        self.asked += 1
        return self._picture(self.asked)

    def _parts(self) -> Iterator[bytes]:
        while not self._over.wait(self._wait_s):
            picture = self._next()
            head = f"--shot\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            yield head.encode() + picture + b"\r\n"

    def _send(self, request, kind: str, parts) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.end_headers()
        for part in parts:
            request.wfile.write(part)

    def _is_right(self, given: str, path: str) -> bool:
        if self._login == "basic":
            return given.startswith("Basic ")

        def hashed(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        said = dict(re.findall(r'(\w+)="?([^",]+)', given))
        secret, asked = hashed(f"{USER}:{_REALM}:{PASSWORD}"), hashed(f"GET:{path}")
        middle = f"{_NONCE}:{said.get('nc')}:{said.get('cnonce')}:auth"
        return said.get("response") == hashed(f"{secret}:{middle}:{asked}")
