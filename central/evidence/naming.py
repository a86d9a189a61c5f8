"""Under which key a piece lies, on disk and on S3 alike. Pure."""

import re
from datetime import datetime
from uuid import UUID

from central.errors import InvalidError
from protocol.messages import EvidenceKind

MEDIA_TYPES = {EvidenceKind.SNAPSHOT: "image/jpeg", EvidenceKind.CLIP: "video/mp4"}
_SUFFIXES = {EvidenceKind.SNAPSHOT: ".jpg", EvidenceKind.CLIP: ".mp4"}

#: What a box's name may be, as in the messages: no dot, no slash, nothing that a shell reads.
_BOX = re.compile(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]")
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = re.compile(
    rf"{_BOX.pattern}/[0-9]{{4}}-[0-9]{{2}}/{_UUID}-(?:{'|'.join(EvidenceKind)})-{_UUID}\.[a-z0-9]+"
)


def key_of(
    box_id: str, start: datetime, alert_id: UUID, kind: EvidenceKind, evidence_id: UUID
) -> str:
    """Return the key of a piece: ``BOX/YEAR-MONTH/ALERT-KIND-ID.SUFFIX``.

    No two attempts to store something share a key: ``evidence_id`` is one's own. Raises
    InvalidError where the box's name is none.
    """
    if not _BOX.fullmatch(box_id):
        raise InvalidError("not a box's name")
    month = f"{start.year:04}-{start.month:02}"
    return f"{box_id}/{month}/{alert_id}-{kind}-{evidence_id}{_SUFFIXES[kind]}"


def is_key(text: str) -> bool:
    """Return whether something is named as a piece is: all else that lies there is not ours."""
    return _KEY.fullmatch(text) is not None
