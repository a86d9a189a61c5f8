"""What stands before every route: where a request comes from, and what a page may do."""

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from central.http.access import COOKIE
from central.http.problems import Kind, problem
from central.points.picture import MAX_BYTES

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST = re.compile(r"^[A-Za-z0-9.\-]+(:\d{1,5})?$|^\[[0-9A-Fa-f:.]+\](:\d{1,5})?$")
_FOREIGN = Kind(403, "forbidden", "请求来自其他网站,已拒绝")

_NO_LENGTH = Kind(411, "no_length", "请求缺少长度")
_TOO_LONG = Kind(413, "too_long", "请求内容过长")
_NUL = Kind(422, "invalid", "填写的内容不符合要求")
_EVIDENCE = re.compile(r"^/api/v1/boxes/[^/]+/evidence/")
_SIGN_PHOTO = re.compile(r"^/api/v1/points/[^/]+/sign-photo$")

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}


class OriginGuard:
    """Refuses what another site makes a signed-in browser send: unsafe methods and WebSockets.

    Only requests with our cookie can do harm; boxes bring a token instead. A request is our own
    where ``Origin`` is the host that was asked (or the public URL), or, without an ``Origin``,
    where ``Sec-Fetch-Site`` says so. A browser sends one of the two.
    """

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self._app = app
        self._public = urlsplit(public_url).netloc.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if self._is_foreign(scope):
            answer = problem(_FOREIGN, "the request comes from another site")
            await _refuse(answer, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, scope: Scope) -> bool:
        unsafe = scope["type"] == "websocket" or (
            scope["type"] == "http" and scope["method"] not in _SAFE
        )
        if not unsafe:
            return False
        headers = Headers(scope=scope)
        signs_in = scope["type"] == "http" and scope["path"] == "/api/v1/session"
        has_cookie = COOKIE in cookie_parser(headers.get("cookie", ""))
        if not has_cookie and not signs_in:
            return False
        origin = headers.get("origin")
        if origin is None:
            site = headers.get("sec-fetch-site")
            # Without both it is no browser; then a cookie was brought by hand, and is not enough.
            return has_cookie if site is None else site not in ("same-origin", "none")
        ours = {headers.get("host", "").lower(), self._public}
        return urlsplit(origin).netloc.lower() not in ours


class BodyLimit:
    """Refuses a body that no route of ours needs; evidence and photos have limits of their own."""

    LIMIT_BYTES = 1_000_000

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413 (too long) or 411 (does not say how long)."""
        if scope["type"] == "http" and not _EVIDENCE.match(scope["path"]):
            headers = Headers(scope=scope)
            if "transfer-encoding" in headers:
                await problem(_NO_LENGTH, "Content-Length is needed")(scope, receive, send)
                return
            length = headers.get("content-length", "0")
            most = MAX_BYTES if _SIGN_PHOTO.match(scope["path"]) else self.LIMIT_BYTES
            if not length.isdecimal() or int(length) > most:
                words = f"at most {most} bytes"
                await problem(_TOO_LONG, words)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class PlainAddresses:
    """Refuses an address that holds the character U+0000: PostgreSQL can't keep or compare it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 422."""
        # Escaped, %00 means nothing else: a percent sign itself is %25.
        if scope["type"] != "lifespan" and (
            "\0" in scope["path"] or b"%00" in scope["query_string"]
        ):
            answer = problem(_NUL, "the address must not hold the character U+0000")
            await _refuse(answer, scope, receive, send)
            return
        await self._app(scope, receive, send)


class SecurityHeaders:
    """Gives every answer what keeps a page to itself: nothing from outside, no frames."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add to its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        policy = content_security_policy(Headers(scope=scope).get("host", ""))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", policy)
                if self._https:
                    headers.setdefault("strict-transport-security", "max-age=31536000")
                if scope["path"].startswith("/api/"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self._app(scope, receive, with_headers)


def content_security_policy(host: str) -> str:
    """Return what a page may load: its own things, media from memory, WebSockets of this host.

    Some TV browsers do not count ``ws:`` as 'self', so the host is named where it is one.
    """
    sockets = f" ws://{host} wss://{host}" if _HOST.match(host) else ""
    return "; ".join(
        (
            "default-src 'self'",
            f"connect-src 'self'{sockets}",
            "img-src 'self' blob: data:",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            "font-src 'self' data:",
            "style-src 'self'",
            "style-src-attr 'unsafe-inline'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


async def _refuse(answer: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer in place of the application, a WebSocket's handshake too."""
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(answer)
    else:
        await answer(scope, receive, send)
