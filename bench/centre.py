"""The centre's HTTP interface as the bench uses it, and the shapes it reads of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

_TIMEOUT_S = 20.0
_PAGE = 100


class CentreError(Exception):
    """The centre refused or does not answer."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody on duty, and as what."""

    person_id: str
    post: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A picture or clip that the centre holds."""

    evidence_id: str
    kind: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """What became of a confirmed alert."""

    incident_id: str
    owner: str | None
    deadline: datetime | None
    alert_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as the centre shows it. ``acked_by`` and ``on_duty`` are persons' ids."""

    alert_id: str
    kind: str
    state: str
    camera_uid: str
    started_at: datetime
    received_at: datetime
    late: bool
    sequence: int
    on_duty: tuple[str, ...]
    acked_by: str | None
    verified_by: str | None
    incident_id: str | None
    evidence: tuple[Evidence, ...]


class Centre:
    """A signed-in user of the centre at ``base_url``; every failure is a CentreError."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._client = httpx.Client(
            base_url=f"{self.base_url}/api/v1",
            headers={"Origin": self.base_url},
            timeout=_TIMEOUT_S,
            trust_env=False,
        )

    def sign_in(self, username: str, password: str) -> None:
        """Begin a session; its cookie is kept for the other calls."""
        self._call("POST", "/session", {"username": username, "password": password})

    def healthy(self) -> bool:
        """Return whether it answers at all."""
        try:
            return self._client.get("/health").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def on_duty(self) -> tuple[OnDuty, ...]:
        """Return who is on duty now, in the roster's order."""
        people = self._call("GET", "/duty")["people"]
        return tuple(OnDuty(each["person"]["id"], each["post"]) for each in people)

    def alerts(self) -> tuple[Alert, ...]:
        """Return every alert, oldest first."""
        found: list[Alert] = []
        query = f"/alerts?limit={_PAGE}"
        before: str | None = None
        while True:
            page = self._call("GET", query + (f"&before={before}" if before else ""))
            found += [alert_of(item) for item in page["items"]]
            before = page["next"]
            if not before:
                return tuple(reversed(found))

    def incident(self, incident_id: str) -> Incident:
        """Return an incident."""
        return incident_of(self._call("GET", f"/incidents/{incident_id}"))

    def wall(self) -> dict[str, Any]:
        """Return the wall's snapshot as it is."""
        return dict(self._call("GET", "/wall"))

    def edge(self, box_id: str, path: str) -> dict[str, Any]:
        """Return what the box's own interface answers at ``path``, through the relay."""
        return dict(self._call("GET", f"/boxes/{box_id}/edge/v1{path}"))

    def evidence(self, evidence_id: str) -> tuple[str, bytes]:
        """Return the content type and the bytes of a piece of evidence."""
        answer = self._send("GET", f"/evidence/{evidence_id}", None)
        return answer.headers.get("content-type", ""), answer.content

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        return self._send(method, path, body).json()

    def _send(self, method: str, path: str, body: Mapping[str, object] | None) -> httpx.Response:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise CentreError(f"{method} {path}: {error!r}") from error
        if answer.is_error:
            raise CentreError(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return answer


def alert_of(item: Mapping[str, Any]) -> Alert:
    """Return the alert in a JSON object of the interface."""
    return Alert(
        alert_id=item["id"],
        kind=item["kind"],
        state=item["state"],
        camera_uid=item["camera"]["uid"],
        started_at=datetime.fromisoformat(item["started_at"]),
        received_at=datetime.fromisoformat(item["received_at"]),
        late=item["late"],
        sequence=item["sequence"],
        on_duty=tuple(post["person"]["id"] for post in item["on_duty"]),
        acked_by=_person(item["acked_by"]),
        verified_by=_person(item["verified_by"]),
        incident_id=item["incident_id"],
        evidence=tuple(
            Evidence(
                piece["id"],
                piece["kind"],
                datetime.fromisoformat(piece["start"]),
                datetime.fromisoformat(piece["end"]),
            )
            for piece in item["evidence"]
        ),
    )


def incident_of(item: Mapping[str, Any]) -> Incident:
    """Return the incident in a JSON object of the interface."""
    deadline = item["deadline"]
    return Incident(
        incident_id=item["id"],
        owner=_person(item["owner"]),
        deadline=datetime.fromisoformat(deadline) if deadline else None,
        alert_ids=tuple(item["alert_ids"]),
    )


def _person(item: Mapping[str, Any] | None) -> str | None:
    return None if item is None else str(item["id"])
