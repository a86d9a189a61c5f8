"""Bringing one file to the centre over HTTP."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import httpx
from pydantic import SecretStr

from edge.alerts.evidence_store import Piece
from protocol.messages import EvidenceKind

CHUNK_BYTES = 64 * 1024

_CONTENT_TYPE = {EvidenceKind.SNAPSHOT: "image/jpeg", EvidenceKind.CLIP: "video/mp4"}


class Verdict(StrEnum):
    """What came of an upload."""

    STORED = "stored"
    NOT_YET = "not_yet"  # the centre does not know the alert yet: soon
    AGAIN = "again"  # the network or the centre: later
    REFUSED = "refused"  # the centre will never take these bytes
    DAMAGED = "damaged"  # these are not the bytes that were made


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and its reason."""

    verdict: Verdict
    reason: str = ""


class _Stopped(Exception):  # noqa: N818 - not an error: we are closing
    """Raised within an upload to end it."""


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Uploader:
    """Puts evidence of one box at the centre; safe to use from several threads."""

    def __init__(
        self, http_url: str, box_id: str, token: SecretStr, *, timeout_s: float = 15.0
    ) -> None:
        self._url = f"{http_url.rstrip('/')}/api/v1/boxes/{box_id}/evidence"
        self._closing = threading.Event()
        self._client = httpx.Client(
            timeout=timeout_s,
            headers={"Authorization": f"Bearer {token.get_secret_value()}"},
        )

    def put(self, piece: Piece, file: Path) -> Outcome:
        """Send ``file``; blocks for as long as the link takes, at most ``timeout_s`` a pause."""
        assert piece.sha256 is not None
        assert piece.size_bytes is not None
        headers = {
            "Content-Type": _CONTENT_TYPE[piece.kind],
            "Content-Length": str(piece.size_bytes),
            "X-Content-SHA256": piece.sha256,
            "X-Evidence-Start": piece.start.isoformat(),
            "X-Evidence-End": piece.end.isoformat(),
        }
        url = f"{self._url}/{piece.alert_id}/{piece.kind}"
        try:
            response = self._client.put(url, content=self._chunks(file), headers=headers)
        except _Stopped:
            return Outcome(Verdict.AGAIN, "closing")
        except (OSError, httpx.HTTPError) as error:
            return Outcome(Verdict.AGAIN, type(error).__name__)
        return self._judge(response, piece, file)

    def _judge(self, response: httpx.Response, piece: Piece, file: Path) -> Outcome:
        status = response.status_code
        reason = f"HTTP {status}"
        match status:
            case httpx.codes.OK | httpx.codes.CREATED:
                return Outcome(Verdict.STORED)
            case httpx.codes.NOT_FOUND:
                return Outcome(Verdict.NOT_YET, reason)
            case httpx.codes.UNPROCESSABLE_ENTITY if sha256_of(file) != piece.sha256:
                return Outcome(Verdict.DAMAGED, reason)
            case (
                httpx.codes.CONFLICT
                | httpx.codes.UNPROCESSABLE_ENTITY
                | httpx.codes.REQUEST_ENTITY_TOO_LARGE
                | httpx.codes.UNSUPPORTED_MEDIA_TYPE
            ):
                return Outcome(Verdict.REFUSED, reason)
        return Outcome(Verdict.AGAIN, reason)

    def _chunks(self, file: Path) -> Iterator[bytes]:
        with file.open("rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                if self._closing.is_set():
                    raise _Stopped
                yield chunk

    def stop(self) -> None:
        """Let what is under way end at its next chunk."""
        self._closing.set()

    def close(self) -> None:
        """Release the connections; nothing is under way any more."""
        self._client.close()
