"""Asking the centre whether it works, what time it has, and whether it knows this box."""

import hashlib
import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from pydantic import SecretStr

from edge.config import CentreSection
from edge.doctor.centre import Answer, CentreFacts
from edge.doctor.certificate import Handshake
from edge.doctor.probes.network import is_local
from edge.doctor.probes.tls import shake_hands
from edge.errors import ConfigError
from protocol.clock import Clock
from protocol.messages import EvidenceKind

_TIMEOUT_S = 6.0
_MOST_BYTES = 64 * 1024
_NS_PER_S = 1_000_000_000
#: An id that no alert has: the centre says so to a box that it knows.
_NO_ALERT = UUID(int=0)
_PORTS = {"http": 80, "https": 443}


def address(centre: CentreSection) -> tuple[str, int]:
    """Return host and port of the centre's web service."""
    parts = urlsplit(centre.http_url)
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def look_at(box_id: str, centre: CentreSection, clock: Clock) -> CentreFacts:
    """Return how far one gets with the centre; nothing there is changed."""
    host, port = address(centre)
    wants_tls = urlsplit(centre.http_url).scheme == "https"
    handshake: Handshake | None = None
    answer, detail, offset_s, admitted = Answer.NOTHING, "", None, None
    try:
        handshake = shake_hands(host, port, _TIMEOUT_S) if wants_tls else None
        if handshake is None or handshake.distrust is None:
            # No proxy of the environment: the box uses none.
            with httpx.Client(timeout=_TIMEOUT_S, trust_env=False) as client:
                answer, detail, offset_s = _health(client, centre.http_url, clock)
                if answer in (Answer.WORKS, Answer.DEGRADED):
                    admitted = _is_admitted(client, box_id, centre)
    except (OSError, httpx.HTTPError) as error:
        detail = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return CentreFacts(
        host=host,
        port=port,
        wants_tls=wants_tls,
        is_local=is_local(host),
        handshake=handshake,
        answer=answer,
        detail=detail,
        clock_offset_s=offset_s,
        is_admitted=admitted,
    )


def _health(client: httpx.Client, http_url: str, clock: Clock) -> tuple[Answer, str, float | None]:
    began_ns = clock.monotonic_ns()
    # Raw, and no more than fits: what answers here may be anybody.
    headers = {"Accept-Encoding": "identity"}
    with client.stream("GET", f"{http_url.rstrip('/')}/api/v1/health", headers=headers) as response:
        body = next(response.iter_raw(_MOST_BYTES), b"")
    half_s = (clock.monotonic_ns() - began_ns) / _NS_PER_S / 2
    offset_s = None
    if (at := _date(response)) is not None:
        offset_s = clock.now().timestamp() - half_s - at.timestamp()
    try:
        status = json.loads(body[:_MOST_BYTES])["status"]
    except (ValueError, KeyError, TypeError):
        return Answer.OTHER, f"HTTP {response.status_code}", None
    return (Answer.WORKS if status == "ok" else Answer.DEGRADED), "", offset_s


def _is_admitted(client: httpx.Client, box_id: str, centre: CentreSection) -> bool | None:
    """Return whether the token is this box's, asked about a picture of an alert that is not."""
    try:
        token: SecretStr = centre.token.read()
    except ConfigError:
        return None  # said of the configuration already
    moment = datetime.fromtimestamp(0, UTC).isoformat()
    response = client.head(
        f"{centre.http_url.rstrip('/')}/api/v1/boxes/{box_id}/evidence"
        f"/{_NO_ALERT}/{EvidenceKind.SNAPSHOT}",
        headers={
            "Authorization": f"Bearer {token.get_secret_value()}",
            "X-Content-SHA256": hashlib.sha256(b"").hexdigest(),
            "X-Evidence-Start": moment,
            "X-Evidence-End": moment,
        },
    )
    verdicts: dict[int, bool] = {httpx.codes.UNAUTHORIZED: False, httpx.codes.NOT_FOUND: True}
    return verdicts.get(response.status_code)


def _date(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["date"])
    except (KeyError, ValueError, TypeError):
        return None
