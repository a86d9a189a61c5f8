"""Whether a server's certificate lets the box trust it, and for how long still. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from edge.doctor.finding import Finding, Kind, Values

#: Time enough to get a new one by post.
_SOON = timedelta(days=21)


class Distrust(StrEnum):
    """Why a handshake did not come about."""

    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"  # more often the box's clock is wrong than the certificate
    WRONG_NAME = "wrong_name"
    UNTRUSTED = "untrusted"  # made by nobody whom the box knows
    FAILED = "failed"  # it does not speak TLS, or breaks off


_KINDS = {
    Distrust.EXPIRED: Kind.TLS_EXPIRED,
    Distrust.NOT_YET_VALID: Kind.TLS_NOT_YET_VALID,
    Distrust.WRONG_NAME: Kind.TLS_WRONG_NAME,
    Distrust.UNTRUSTED: Kind.TLS_UNTRUSTED,
    Distrust.FAILED: Kind.TLS_FAILED,
}


@dataclass(frozen=True, slots=True)
class Handshake:
    """What came of a TLS handshake: until when the certificate is valid, or why there was none."""

    until: datetime | None
    distrust: Distrust | None = None
    detail: str = ""


def judge(subject: str, shake: Handshake, now: datetime) -> Iterator[Finding]:
    """Yield what is to be said of a handshake with ``subject``, a host and port."""
    if shake.distrust is not None:
        yield Finding(_KINDS[shake.distrust], subject, {"detail": shake.detail})
    elif shake.until is not None and shake.until - now < _SOON:
        values: Values = {"days": (shake.until - now).days, "until": f"{shake.until:%Y-%m-%d}"}
        yield Finding(Kind.TLS_EXPIRES_SOON, subject, values)
