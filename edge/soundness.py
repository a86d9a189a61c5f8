"""Whether a row that was read from a damaged database can be believed. Pure (recording I15).

A value that SQLite reads without complaint may be wrong all the same. What would stop the box, or
make it touch a file that is not its own, is not believed.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from edge.crowds.quarter import PACKED_BYTES, QUARTER
from edge.media.sample import GapReason
from edge.recording.hold_rules import Act
from edge.recording.retention import Reason
from edge.recording.segment import HOLD_LEAD, MOST_LEAD, is_recorded_path
from protocol.messages import (
    AlertCurve,
    AlertKind,
    AlertLevel,
    AlertMode,
    EvidenceKind,
    EvidenceLack,
)
from protocol.relay import StreamName
from protocol.shapes import Exclusions

_Row = Mapping[str, Any]
#: The year 2100.
_END_US = 4_102_444_800_000_000
_HASH = re.compile(r"[0-9a-f]{64}")
_EXCLUSIONS: TypeAdapter[Exclusions] = TypeAdapter(Exclusions)
_NAME = re.compile(r"[\w.-]{1,80}")


def is_sound(table: str, row: _Row) -> bool:
    """Return whether every value of a row can be what the box wrote there."""
    times = (value for name, value in row.items() if name.endswith("_us"))
    if not all(value is None or _is_time(value) for value in times):
        return False
    try:
        return _RULES.get(table, _any)(row)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _is_time(value: object) -> bool:
    return type(value) is int and 0 <= value < _END_US


def _any(_row: _Row) -> bool:
    return True


def _meta(row: _Row) -> bool:
    key, value = row["key"], row["value"]
    if not key.isascii():
        return False
    if key.endswith("_us"):
        return _is_time(int(value))
    if key == "deletion_lines":
        number, length = map(int, value.split())
        return number > 0 and length >= 0
    return bool(value.isprintable())


def _hold(row: _Row) -> bool:
    lead = timedelta(microseconds=row["lead_us"]) if "lead_us" in row else HOLD_LEAD
    if not _is_stretch(row) or not HOLD_LEAD <= lead < MOST_LEAD * 2:
        return False
    # Else it is an alert's, an export's, or one of an older row.
    return row.get("placed_by") is None or _is_persons(row)


def _hold_event(row: _Row) -> bool:
    Act(row["act"])
    return _is_stretch(row) and _is_persons(row)


def _is_stretch(row: _Row) -> bool:
    return _is_camera(row) and row["start_us"] < row["end_us"]


def _is_persons(row: _Row) -> bool:
    date.fromisoformat(row["review_on"])
    return _is_time(row["placed_us"])


def _doomed(row: _Row) -> bool:
    return is_recorded_path(row["path"]) and row.get("size_bytes", 0) >= 0


def _gap(row: _Row) -> bool:
    StreamName(row["stream"])
    GapReason(row["reason"])
    return _is_camera(row) and (row["end_us"] is None or row["start_us"] < row["end_us"])


def _deletion(row: _Row) -> bool:
    Reason(row["reason"])
    date.fromisoformat(row["day"])
    manifest = row.get("manifest")
    return _is_camera(row) and (manifest is None or _HASH.fullmatch(manifest) is not None)


def _alert(row: _Row) -> bool:
    UUID(row["alert_id"])
    AlertKind(row["kind"])
    AlertLevel(row["level"])
    AlertMode(row["mode"])
    if row.get("curve") is not None:
        AlertCurve.model_validate_json(row["curve"])
    is_flag = row.get("untold", 0) in (0, 1)
    return is_flag and _is_camera(row) and min(row["count"], row["threshold"], row["peak"]) >= 0


def _crowd(row: _Row) -> bool:
    is_quarter = row["start_us"] % (QUARTER // timedelta(microseconds=1)) == 0
    return (
        _is_camera(row) and is_quarter and row["peak"] >= 0 and len(row["minutes"]) == PACKED_BYTES
    )


def _evidence(row: _Row) -> bool:
    UUID(row["alert_id"])
    EvidenceKind(row["kind"])
    if row.get("lack") is not None:
        EvidenceLack(row["lack"])
    path, digest = row["path"], row["sha256"]
    is_named = path is None or (path.startswith(row["alert_id"]) and _NAME.fullmatch(path))
    return bool(is_named) and (digest is None or _HASH.fullmatch(digest) is not None)


def _mask(row: _Row) -> bool:
    _EXCLUSIONS.validate_json(row["exclude"])
    return _is_camera(row) and _NAME.fullmatch(row["rule_id"]) is not None


def _is_camera(row: _Row) -> bool:
    return _NAME.fullmatch(row["camera_id"]) is not None


_RULES: Mapping[str, Callable[[_Row], bool]] = {
    "meta": _meta,
    "hold": _hold,
    "hold_event": _hold_event,
    "doomed": _doomed,
    "gap": _gap,
    "deletion": _deletion,
    "alert": _alert,
    "crowd": _crowd,
    "evidence": _evidence,
    "mask": _mask,
}
