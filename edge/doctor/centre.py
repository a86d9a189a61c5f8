"""Whether the centre's web service is there, and takes this box for one of its own. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edge.doctor import certificate
from edge.doctor.certificate import Handshake
from edge.doctor.clock import judge_offset
from edge.doctor.finding import Finding, Kind


class Answer(StrEnum):
    """What came back from the address."""

    NOTHING = "nothing"
    OTHER = "other"  # it answers, and is no centre
    DEGRADED = "degraded"
    WORKS = "works"


@dataclass(frozen=True, slots=True)
class CentreFacts:
    """How far one got with the centre.

    ``clock_offset_s`` is how far the box's clock is ahead of the centre's. ``is_admitted`` is None
    where the token was not shown or nothing is known of what came of it.
    """

    host: str
    port: int
    wants_tls: bool
    is_local: bool
    handshake: Handshake | None
    answer: Answer
    detail: str = ""
    clock_offset_s: float | None = None
    is_admitted: bool | None = None


def judge(facts: CentreFacts, now: datetime) -> Iterator[Finding]:
    """Yield what is to be said of the centre and the way to it."""
    subject = f"{facts.host}:{facts.port}"
    if not facts.wants_tls and not facts.is_local:
        yield Finding(Kind.TLS_NONE, subject)
    if facts.handshake is not None:
        yield from certificate.judge(subject, facts.handshake, now)
        if facts.handshake.distrust is not None:
            return
    if facts.clock_offset_s is not None:
        yield from judge_offset(facts.clock_offset_s)
    if facts.answer is Answer.NOTHING:
        yield Finding(Kind.CENTRE_UNREACHABLE, subject, {"detail": facts.detail})
        return
    if facts.answer is Answer.OTHER:
        yield Finding(Kind.CENTRE_OTHER, subject, {"detail": facts.detail})
        return
    if facts.answer is Answer.DEGRADED:
        yield Finding(Kind.CENTRE_DEGRADED, subject)
    if facts.is_admitted is False:
        yield Finding(Kind.CENTRE_TOKEN_REFUSED, subject)
    elif facts.is_admitted:
        yield Finding(Kind.CENTRE_FINE, subject)
