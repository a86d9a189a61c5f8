"""What goes through the relay as it is: a path and a body to a box, and its answer to a browser."""

import json
from collections.abc import Mapping
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from central.errors import InvalidError
from central.relay.transfer import Answer
from protocol.relay import ANSWER_HEADERS, MAX_ASK_BYTES

#: What a box may call its answers. A box that was broken into must not serve pages as the centre.
_TYPES = frozenset(
    {
        "application/json",
        "application/vnd.apple.mpegurl",
        "application/zip",
        "image/jpeg",
        "text/plain",
        "video/mp4",
    }
)


def asked_path(request: Request, path: str) -> str:
    """Return ``path`` (below ``/v1/``) at the box, escaped again, with the request's query."""
    asked = "/v1/" + quote(path, safe="/-._~!$&'()*+,;=:@")
    return f"{asked}?{request.url.query}" if request.url.query else asked


async def json_body(request: Request) -> str:
    """Return the body, which is a JSON object or empty. Raises InvalidError."""
    body = await request.body()
    if len(body) > MAX_ASK_BYTES:
        raise InvalidError(f"the body may have at most {MAX_ASK_BYTES} bytes")
    try:
        if body and not isinstance(json.loads(body), dict):
            raise InvalidError("the body must be a JSON object")
        return body.decode()
    except (ValueError, RecursionError) as error:
        raise InvalidError("the body must be JSON in UTF-8") from error


class RelayedResponse(StreamingResponse):
    """A box's answer, passed on as it comes; the transfer is closed however it ends."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body, status_code=answer.status, headers=passed_on(answer.headers))
        self._body = answer.body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._body.close()


def passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that a box may set at the centre."""
    lower = {name.lower(): value for name, value in headers.items()}
    media_type = lower.get("content-type", "")
    if media_type.partition(";")[0].strip().lower() not in _TYPES:
        media_type = "application/octet-stream"
    passed = {name: lower[name] for name in ANSWER_HEADERS if name in lower}
    return passed | {"content-type": media_type, "x-content-type-options": "nosniff"}
