"""Keeping web pages of others away from the box's interface."""

import ipaddress
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from edge.web.problem import Problem

_REFUSED = Problem(403, "forbidden", "this host or origin may not ask", "不允许的来源")
_NO_JSON = Problem(415, "no_json", "content-type must be application/json", "请求格式不正确")


class HostGuard:
    """ASGI middleware: refuses names that are not ours and pages that are not ours.

    The interface has no password: it listens on loopback. But a browser on the same machine may
    run anybody's page. WebSockets know no same-origin rule, so an Origin must be our own; and a
    foreign name may be made to point at 127.0.0.1 (DNS rebinding), so Host must be an address,
    ``localhost``, or the name we were configured with. A form needs neither rights nor an Origin in
    an old browser, so a POST must be of a content type that no form can send.
    """

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._names = frozenset({"localhost", host.lower()})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if self._allowed(headers):
            app = _NO_JSON.response() if _may_be_a_form(scope, headers) else self._app
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocket(scope, receive, send).close()  # before it is accepted: a 403
        else:
            await _REFUSED.response()(scope, receive, send)

    def _allowed(self, headers: Headers) -> bool:
        host = headers.get("host", "")
        origin = headers.get("origin")
        return self._is_ours(host) and (origin is None or urlsplit(origin).netloc == host)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def _may_be_a_form(scope: Scope, headers: Headers) -> bool:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return scope.get("method") == "POST" and media_type != "application/json"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
