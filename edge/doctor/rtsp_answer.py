"""What an RTSP server answers, and the login that it asks for (RFC 2326, RFC 7616). Pure.

The bytes are a stranger's: whatever they hold, the only error is MediaError.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import IntEnum

from edge.errors import MediaError

MAX_HEAD_BYTES = 16 * 1024
MAX_BODY_BYTES = 64 * 1024
_STATUS_LINE = re.compile(r"RTSP/\d\.\d (\d{3})(?: |$)")
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')
_FRAME_RATE = re.compile(r"^a=(?:x-)?framerate:\s*([0-9]{1,3}(?:\.[0-9]{1,3})?)", re.MULTILINE)
_VIDEO = re.compile(r"^m=video\b", re.MULTILINE)
_HASHES = {"": "md5", "MD5": "md5", "SHA-256": "sha256"}


class Status(IntEnum):
    """What cameras answer with that means something to us."""

    OK = 200
    BAD_REQUEST = 400  # what some say to a path that they don't have
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    GONE = 410
    LOCKED = 423
    TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class RtspAnswer:
    """A response's head and what its body says of the video.

    ``challenges`` are the logins it offers, by scheme in small letters. ``at`` is the server's time
    where it says it. ``claimed_fps`` is None where it does not say how many frames it sends.
    """

    status: int
    length: int
    challenges: Mapping[str, Mapping[str, str]]
    at: datetime | None


def parse_head(head: bytes) -> RtspAnswer:
    """Return what a response's head says; ``head`` is without the empty line at its end.

    Raises MediaError where it is none of RTSP.
    """
    lines = head.decode("latin-1").split("\r\n")
    matched = _STATUS_LINE.match(lines[0])
    if matched is None:
        raise MediaError("not an RTSP answer")
    fields = [(name.strip().lower(), value.strip()) for name, _, value in _parted(lines[1:])]
    by_name = dict(fields)
    length = by_name.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and int(length[:9]) <= MAX_BODY_BYTES):
        raise MediaError("an RTSP answer of no sensible length")
    offered = (value for name, value in fields if name == "www-authenticate")
    challenges = dict(map(_challenge, offered))
    return RtspAnswer(int(matched[1]), int(length), challenges, _time(by_name.get("date", "")))


def claimed_fps(sdp: str) -> float | None:
    """Return how many frames a second a session description promises of its video."""
    video = _VIDEO.search(sdp)
    matched = _FRAME_RATE.search(sdp, video.start()) if video else None
    return float(matched[1]) or None if matched else None


def authorization(
    answer: RtspAnswer, username: str, password: str, method: str, url: str
) -> str | None:
    """Return the header's value that answers a challenge; None where none of its kinds is known.

    Digest is preferred: with Basic the password itself goes over the wire, which the caller does.
    """
    digest = answer.challenges.get("digest")
    if digest is not None and digest.get("algorithm", "").upper() in _HASHES:
        return _digest(digest, username, password, method, url)
    if "basic" in answer.challenges:
        return "basic"
    return None


def _digest(given: Mapping[str, str], username: str, password: str, method: str, url: str) -> str:
    realm, nonce = given.get("realm", ""), given.get("nonce", "")
    name = _HASHES[given.get("algorithm", "").upper()]

    def hashed(text: str) -> str:
        return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()

    secret, request = hashed(f"{username}:{realm}:{password}"), hashed(f"{method}:{url}")
    fields = {"username": username, "realm": realm, "nonce": nonce, "uri": url}
    plain = {}
    if "auth" in given.get("qop", "").replace(" ", "").split(","):
        # One request a nonce: no other client nonce is ever needed.
        count, own = "00000001", hashed(nonce)[:16]
        response = hashed(f"{secret}:{nonce}:{count}:{own}:auth:{request}")
        plain, fields["cnonce"] = {"nc": count, "qop": "auth"}, own
    else:
        response = hashed(f"{secret}:{nonce}:{request}")
    fields["response"] = response
    if "opaque" in given:
        fields["opaque"] = given["opaque"]
    if "algorithm" in given:
        plain["algorithm"] = given["algorithm"]
    quoted = [f'{key}="{value}"' for key, value in fields.items()]
    return "Digest " + ", ".join(quoted + [f"{key}={value}" for key, value in plain.items()])


def _parted(lines: list[str]) -> list[tuple[str, str, str]]:
    return [line.partition(":") for line in lines if ":" in line]


def _challenge(value: str) -> tuple[str, Mapping[str, str]]:
    scheme, _, rest = value.partition(" ")
    found = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
    return scheme.lower(), found


def _time(text: str) -> datetime | None:
    """Return an HTTP date, or the form without a comma's order that many cameras write."""
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return _camera_time(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _camera_time(text: str) -> datetime | None:
    """Return ``Thu, Nov 26 2026 21:30:00 GMT``, live555's form and half of all cameras'."""
    try:
        words = text.replace("GMT", "").split()
        return datetime.strptime(" ".join(words[1:]), "%b %d %Y %H:%M:%S").replace(tzinfo=UTC)
    except (ValueError, IndexError):
        return None
