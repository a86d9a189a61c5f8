"""One picture or clip on its way from an alert to the centre."""

from dataclasses import dataclass
from datetime import datetime

from protocol.messages import AlertLevel, EvidenceKind

_SUFFIX = {EvidenceKind.SNAPSHOT: "jpg", EvidenceKind.CLIP: "mp4"}


def file_name(alert_id: str, kind: EvidenceKind) -> str:
    """Return the name of a piece's file in the evidence folder."""
    return f"{alert_id}.{_SUFFIX[kind]}"


@dataclass(frozen=True, slots=True)
class Piece:
    """One picture or clip that is still to be made or brought to the centre.

    ``began`` is when its alert did, ``due`` when it could be made first; ``level`` is the alert's
    present one. ``path`` (below the evidence folder), ``sha256`` and ``size_bytes`` are None until
    it is made. ``tries`` counts failures since it was asked for, was made, or last came further.
    ``is_asked``: a person asked for it (protocol I22), and ``alert_id`` is the command's id.
    """

    alert_id: str
    camera_id: str
    kind: EvidenceKind
    level: AlertLevel
    began: datetime
    due: datetime
    start: datetime
    end: datetime
    path: str | None
    sha256: str | None
    size_bytes: int | None
    tries: int
    is_asked: bool = False
