"""What a request to a box's set-up interface is, in words that anybody may read (cameras E11).

Pure.

Only what is named here goes into the words, so a login never does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from pydantic import JsonValue

from protocol.ids import LOCAL_ID

_MOST_CHARS = 120
_HOST = re.compile(r"^[A-Za-z0-9._\-:\[\]]{1,80}$")
#: What of a camera's document is entered; nothing else is.
_TOLD = (
    "name",
    "grid_code",
    "place",
    "legal_basis",
    "retention_days",
    "retention_reason",
    "enabled",
    "record_sub",
)


class Act(StrEnum):
    """What somebody has a box do."""

    SEARCH = "search"
    PROBE = "probe"
    ADD = "add"
    CHANGE = "change"
    REPLACE = "replace"
    COPY = "copy"
    REMOVE = "remove"
    IMPORT = "import"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Deed:
    """One act, the camera it is about (empty: none, or none yet), and its words."""

    act: Act
    camera_id: str
    words: str


def deed_of(
    method: str, path: str, query: Mapping[str, str], body: Mapping[str, JsonValue]
) -> Deed | None:
    """Return what ``method`` on ``path`` (below ``setup/``) is; None where it changes nothing.

    What is not known is entered as such: a route that comes later is not left out of the ledger.
    """
    first, _, rest = path.partition("/")
    camera_id, _, last = rest.partition("/")
    deed: Deed | None = Deed(Act.OTHER, "", _plain(f"{method} {path}"))
    match method, first, bool(rest), last:
        case "DELETE", "probes", True, "":
            deed = None
        case "POST", "searches", False, _:
            deed = Deed(Act.SEARCH, "", "")
        case "POST", "probes", False, _:
            deed = Deed(Act.PROBE, _camera(body.get("camera_id")), _host(body))
        case "POST", "bulk", False, _:
            deed = _import(body)
        case "POST", "cameras", False, _:
            deed = Deed(Act.ADD, _camera(body.get("id")), _told(body, like="like"))
        case "PATCH", "cameras", True, "":
            deed = Deed(Act.CHANGE, _camera(camera_id), _told(body))
        case "POST", "cameras", True, "replace":
            deed = Deed(Act.REPLACE, _camera(camera_id), _told(body))
        case "POST", "cameras", True, "like":
            deed = Deed(Act.COPY, _camera(camera_id), _told(body, like="camera_id"))
        case "DELETE", "cameras", True, "":
            deed = Deed(Act.REMOVE, _camera(camera_id), _plain(query.get("reason")))
        case _:
            pass
    return deed


def _import(body: Mapping[str, JsonValue]) -> Deed | None:
    if body.get("apply") is not True:
        return None
    csv = body.get("csv")
    lines = [line for line in csv.splitlines() if line.strip()] if isinstance(csv, str) else ()
    return Deed(Act.IMPORT, "", f"{max(0, len(lines) - 1)} lines")


def _told(body: Mapping[str, JsonValue], like: str | None = None) -> str:
    """Return the settings that ``body`` names, and the reason at the end."""
    parts = [f"{key} {_plain(body[key])}" for key in _TOLD if _plain(body.get(key))]
    if like is not None and body.get(like) is not None:
        parts.append(f"like {_camera(body[like])}")
    reason = _plain(body.get("reason"))
    return ", ".join(parts) + (f": {reason}" if parts and reason else reason)


def _host(body: Mapping[str, JsonValue]) -> str:
    """Return where a probe goes, without the login that an address may hold."""
    url = body.get("rtsp_url")
    if isinstance(url, str):
        try:
            host = urlsplit(url).netloc.rpartition("@")[2]
        except ValueError:
            return ""
    else:
        address = body.get("address")
        host = address if isinstance(address, str) else ""
    return host if _HOST.match(host) else ""


def _camera(word: JsonValue) -> str:
    return word if isinstance(word, str) and LOCAL_ID.match(word) else ""


def _plain(word: JsonValue) -> str:
    """Return a word on one line, cut to what a ledger needs."""
    text = str(word) if isinstance(word, str | int | float) else ""
    return "".join(each if each.isprintable() else " " for each in text).strip()[:_MOST_CHARS]
