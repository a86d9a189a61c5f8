"""Whether the box can hand its alerts to the centre's broker. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from edge.doctor import certificate
from edge.doctor.certificate import Handshake
from edge.doctor.finding import Finding, Kind

#: So many alerts that wait have waited for long.
_BACKLOG_ROWS = 100


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """How far one got with the broker.

    ``connects`` tells whether the port is open, ``handshake`` what came of TLS where it is wanted.
    ``logged_in`` is None where it was not tried; ``reason`` is the broker's or the library's word
    where it failed, ``is_refused`` whether it is the broker's. ``refused_topics`` are what the box
    may not read. ``waiting`` are the alerts that wait on the box, None where it does not run.
    """

    host: str
    port: int
    wants_tls: bool
    is_local: bool
    connects: bool
    handshake: Handshake | None = None
    logged_in: bool | None = None
    is_refused: bool = False
    reason: str = ""
    refused_topics: tuple[str, ...] = ()
    waiting: int | None = None


def judge(facts: BrokerFacts, now: datetime) -> Iterator[Finding]:
    """Yield what is to be said of the broker and the line to it."""
    subject = f"{facts.host}:{facts.port}"
    if facts.waiting is not None and facts.waiting >= _BACKLOG_ROWS:
        yield Finding(Kind.BROKER_BACKLOG, subject, {"waiting": facts.waiting})
    if not facts.connects:
        yield Finding(Kind.BROKER_UNREACHABLE, subject, {"detail": facts.reason})
        return
    if not facts.wants_tls and not facts.is_local:
        yield Finding(Kind.TLS_NONE, subject)
    if facts.handshake is not None:
        yield from certificate.judge(subject, facts.handshake, now)
    if facts.logged_in:
        for topic in facts.refused_topics:
            yield Finding(Kind.BROKER_TOPIC_REFUSED, subject, {"topic": topic})
        if not facts.refused_topics:
            yield Finding(Kind.BROKER_FINE, subject)
    elif facts.logged_in is False:
        kind = Kind.BROKER_REFUSED if facts.is_refused else Kind.BROKER_SILENT
        yield Finding(kind, subject, {"detail": facts.reason})
