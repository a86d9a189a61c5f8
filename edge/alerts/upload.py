"""Bringing one file to the centre over HTTP, part by part."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from pydantic import SecretStr

from edge.alerts.digest import sha256_of
from edge.alerts.piece import Piece
from edge.alerts.verdict import Outcome, Verdict
from protocol.messages import EvidenceLack

#: What one request carries at most: then the next piece is chosen anew, and even a proxy that
#: passes on whole requests only loses no more than this where the link is cut.
PART_BYTES = 512 * 1024
#: A piece up to this size is sent without asking first what the centre has of it.
_UNASKED_BYTES = 256 * 1024
CHUNK_BYTES = 16 * 1024
#: What waits unsent in the kernel is lost with a connection, and delays whatever else is sent.
_UNSENT_BYTES = 64 * 1024
_OFFSETS = 64

_LIMIT = re.compile(r"\bmax-size=(\d{1,18})\b")


#: After these a piece may be sent on from where it is.
_UNFINISHED = frozenset({Verdict.PART, Verdict.NOT_YET, Verdict.AWAY, Verdict.AGAIN})

_VERDICTS: dict[int, Verdict] = {
    httpx.codes.OK: Verdict.STORED,
    httpx.codes.CREATED: Verdict.STORED,
    httpx.codes.NOT_FOUND: Verdict.NOT_YET,
    httpx.codes.CONFLICT: Verdict.REFUSED,
    httpx.codes.UNSUPPORTED_MEDIA_TYPE: Verdict.REFUSED,
    httpx.codes.UNPROCESSABLE_ENTITY: Verdict.REFUSED,
    httpx.codes.UNAUTHORIZED: Verdict.AWAY,
    httpx.codes.REQUEST_TIMEOUT: Verdict.AWAY,
    httpx.codes.TOO_MANY_REQUESTS: Verdict.AWAY,
    httpx.codes.BAD_GATEWAY: Verdict.AWAY,
    httpx.codes.SERVICE_UNAVAILABLE: Verdict.AWAY,
    httpx.codes.GATEWAY_TIMEOUT: Verdict.AWAY,
}


class _Stopped(Exception):  # noqa: N818 - not an error: we are closing
    """Raised within an upload to end it."""


@dataclass(frozen=True, slots=True)
class _Known:
    """How much of a piece the centre has; not ``sure`` after a connection that broke."""

    offset: int
    sure: bool


class Uploader:
    """Brings evidence of one box to the centre; safe to use from several threads.

    ``pace`` is asked before so many bytes are sent, and returns how many seconds to wait first.
    """

    def __init__(
        self,
        http_url: str,
        box_id: str,
        token: SecretStr,
        *,
        timeout_s: float = 15.0,
        pace: Callable[[int], float] = lambda _bytes: 0.0,
    ) -> None:
        self._url = f"{http_url.rstrip('/')}/api/v1/boxes/{box_id}/evidence"
        self._pace = pace
        self._closing = threading.Event()
        self._known: dict[tuple[str, str | None], _Known] = {}
        options = [(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)]
        self._client = httpx.Client(
            timeout=timeout_s,
            headers={"Authorization": f"Bearer {token.get_secret_value()}"},
            # Shorter than the centre keeps an idle connection: never send on one it closes.
            transport=httpx.HTTPTransport(
                socket_options=options, limits=httpx.Limits(keepalive_expiry=2.0)
            ),
        )

    def send(self, piece: Piece, file: Path) -> Outcome:
        """Send the next part of ``file``, after asking how much the centre has where that is open.

        Blocks for as long as the link takes, at most ``timeout_s`` a pause, and for ``pace``.
        """
        before = self._offset(piece)
        try:
            outcome = self._ask(piece) or self._add(piece, file)
        except _Stopped:
            outcome = Outcome(Verdict.AWAY, "closing")
        except (OSError, httpx.HTTPError) as error:
            outcome = Outcome(Verdict.AWAY, type(error).__name__)
        came_further = self._offset(piece) > before or outcome.verdict is Verdict.STORED
        if outcome.verdict not in _UNFINISHED:
            self._known.pop(_key(piece), None)
        return replace(outcome, came_further=came_further)

    def tell_lack(self, piece: Piece, lack: EvidenceLack) -> Outcome:
        """Say that a piece will never come, and why. STORED: the centre knows."""
        try:
            response = self._client.put(f"{self._address(piece)}/lack", json={"reason": lack.value})
        except (OSError, httpx.HTTPError) as error:
            return Outcome(Verdict.AWAY, type(error).__name__)
        if response.status_code == httpx.codes.NO_CONTENT:
            return Outcome(Verdict.STORED)
        verdict = _VERDICTS.get(response.status_code, Verdict.AGAIN)
        return Outcome(verdict, f"HTTP {response.status_code}")

    def _ask(self, piece: Piece) -> Outcome | None:
        """Ask how much the centre has, unless that is known; None where more is to be sent."""
        known = self._known.get(_key(piece))
        if known is None and piece.tries == 0 and _size(piece) <= _UNASKED_BYTES:
            return None
        if known is not None and known.sure:
            return None
        response = self._client.head(self._address(piece), headers=_about(piece))
        if response.status_code != httpx.codes.OK:
            return self._judge(response, piece, None)
        if response.headers.get("upload-complete") == "?1":
            return Outcome(Verdict.STORED)
        limit_bytes = _limit(response)
        if limit_bytes is not None and _size(piece) > limit_bytes:
            return _too_long(piece, limit_bytes)
        return None if self._learn(piece, response) else Outcome(Verdict.AGAIN, "no offset")

    def _add(self, piece: Piece, file: Path) -> Outcome:
        """Send from where the centre is, a part at most."""
        offset = self._offset(piece)
        length = min(PART_BYTES, _size(piece) - offset)
        self._know(piece, _Known(offset, sure=False))
        headers = _about(piece) | {
            "Content-Type": "application/partial-upload",
            "Content-Length": str(length),
            "Upload-Offset": str(offset),
            "Upload-Length": str(piece.size_bytes),
        }
        content = self._chunks(file, offset, length)
        response = self._client.patch(self._address(piece), content=content, headers=headers)
        return self._judge(response, piece, file)

    def _judge(self, response: httpx.Response, piece: Piece, file: Path | None) -> Outcome:
        status = response.status_code
        match status:
            case httpx.codes.NO_CONTENT if self._learn(piece, response):
                verdict = Verdict.PART
            case httpx.codes.CONFLICT if self._learn(piece, response):
                verdict = Verdict.AGAIN
            case httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                return _too_long(piece, _limit(response))
            case httpx.codes.UNPROCESSABLE_ENTITY if file is not None:
                verdict = self._judge_bytes(response, piece, file)
            case _:
                verdict = _VERDICTS.get(status, Verdict.AGAIN)
        return Outcome(verdict, f"HTTP {status}")

    def _judge_bytes(self, response: httpx.Response, piece: Piece, file: Path) -> Verdict:
        """Say whose fault it is that the centre did not find what was named."""
        if sha256_of(file) != piece.sha256:
            return Verdict.DAMAGED
        if _error(response) != "damaged":
            return Verdict.REFUSED
        self._know(piece, _Known(0, sure=True))  # on the way, or there: from the beginning
        return Verdict.AGAIN

    def _learn(self, piece: Piece, response: httpx.Response) -> bool:
        """Take the centre's offset from its answer; return whether there is one that can be."""
        told = response.headers.get("upload-offset", "")
        if not told.isdecimal() or int(told) > _size(piece):
            return False
        self._know(piece, _Known(int(told), sure=True))
        return True

    def _know(self, piece: Piece, known: _Known) -> None:
        if len(self._known) >= _OFFSETS:
            self._known.clear()  # what is forgotten is asked for
        self._known[_key(piece)] = known

    def _offset(self, piece: Piece) -> int:
        known = self._known.get(_key(piece))
        return 0 if known is None else known.offset

    def _address(self, piece: Piece) -> str:
        return f"{self._url}/{piece.alert_id}/{piece.kind}"

    def _chunks(self, file: Path, offset: int, length: int) -> Iterator[bytes]:
        left = length
        with file.open("rb") as source:
            source.seek(offset)
            while left and (chunk := source.read(min(CHUNK_BYTES, left))):
                if self._closing.wait(self._pace(len(chunk))):
                    raise _Stopped
                left -= len(chunk)
                yield chunk

    def stop(self) -> None:
        """Let what is under way end at its next chunk."""
        self._closing.set()

    def close(self) -> None:
        """Release the connections; nothing is under way any more."""
        self._client.close()


def _key(piece: Piece) -> tuple[str, str | None]:
    return piece.alert_id, piece.sha256


def _size(piece: Piece) -> int:
    assert piece.size_bytes is not None
    return piece.size_bytes


def _about(piece: Piece) -> dict[str, str]:
    """Return what is said of a piece in every request."""
    assert piece.sha256 is not None
    return {
        "X-Content-SHA256": piece.sha256,
        "X-Evidence-Start": piece.start.isoformat(),
        "X-Evidence-End": piece.end.isoformat(),
    }


def _limit(response: httpx.Response) -> int | None:
    """Return how long a piece may be, in bytes, where the centre says so."""
    found = _LIMIT.search(response.headers.get("upload-limit", ""))
    return None if found is None else int(found[1])


def _too_long(piece: Piece, limit_bytes: int | None) -> Outcome:
    limit = "fewer" if limit_bytes is None else f"at most {limit_bytes}"
    reason = f"too large: {piece.size_bytes} bytes, the centre takes {limit}"
    return Outcome(Verdict.TOO_LONG, reason, limit_bytes=limit_bytes)


def _error(response: httpx.Response) -> str:
    """Return the word for the problem in an answer of the centre's; empty where there is none."""
    try:
        return str(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return ""
