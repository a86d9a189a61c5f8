"""Who may call what: every route of the OpenAPI document, by every role."""

import re

import pytest

from tests.support.web_centre import WebCentre

ANY, DUTY, ADMIN, WALL = (
    {"wall", "duty", "admin"},
    {"duty", "admin"},
    {"admin"},
    {"wall"},
)
ANYONE, BOX = {"anyone"}, {"box"}

#: The decisions of docs/design/api.md, written down a second time.
DECIDED = {
    ("post", "/api/v1/session"): ANYONE,
    ("get", "/api/v1/session"): ANY,
    ("delete", "/api/v1/session"): ANY,
    ("post", "/api/v1/session/operator"): WALL,
    ("delete", "/api/v1/session/operator"): WALL,
    ("get", "/api/v1/wall"): ANY,
    ("get", "/api/v1/feed"): ANY,
    ("get", "/api/v1/codes"): ANY,
    ("get", "/api/v1/health"): ANYONE,
    ("get", "/api/v1/alerts"): ANY,
    ("get", "/api/v1/alerts/{alert_id}"): ANY,
    ("post", "/api/v1/alerts/{alert_id}/ack"): ANY,
    ("post", "/api/v1/alerts/{alert_id}/confirm"): ANY,
    ("post", "/api/v1/alerts/{alert_id}/false"): ANY,
    ("post", "/api/v1/alerts/{alert_id}/known"): ANY,
    ("get", "/api/v1/incidents"): ANY,
    ("get", "/api/v1/incidents/{incident_id}"): ANY,
    ("post", "/api/v1/incidents/{incident_id}/{action}"): DUTY,
    ("get", "/api/v1/activities"): ANY,
    ("get", "/api/v1/activities/{activity_id}"): ANY,
    ("post", "/api/v1/activities"): DUTY,
    ("put", "/api/v1/activities/{activity_id}"): DUTY,
    ("post", "/api/v1/activities/{activity_id}/approve"): DUTY,
    ("post", "/api/v1/activities/{activity_id}/cancel"): DUTY,
    ("get", "/api/v1/examples"): ADMIN,
    ("get", "/api/v1/examples/summary"): ADMIN,
    ("get", "/api/v1/examples/archive.zip"): ADMIN,
    ("get", "/api/v1/examples/{example_id}/picture"): ADMIN,
    ("delete", "/api/v1/examples/{example_id}"): ADMIN,
    ("delete", "/api/v1/examples"): ADMIN,
    ("get", "/api/v1/boxes"): DUTY,
    ("put", "/api/v1/boxes/{box_id}/upgrade"): ADMIN,
    ("get", "/api/v1/boxes/{box_id}/commands"): DUTY,
    ("post", "/api/v1/boxes/{box_id}/commands"): DUTY,
    ("get", "/api/v1/boxes/{box_id}/masks"): DUTY,
    ("get", "/api/v1/deliveries"): DUTY,
    ("post", "/api/v1/deliveries/{box_id}/{outbox_id}/verify"): DUTY,
    ("get", "/api/v1/quarantine"): ADMIN,
    ("get", "/api/v1/quarantine/ledger"): ADMIN,
    ("post", "/api/v1/quarantine/replay"): ADMIN,
    ("post", "/api/v1/quarantine/{digest}/discard"): ADMIN,
    ("get", "/api/v1/points"): DUTY,
    ("get", "/api/v1/points/codes"): DUTY,
    ("get", "/api/v1/points/due"): DUTY,
    ("get", "/api/v1/points/{uid}"): DUTY,
    ("put", "/api/v1/points/{uid}"): ADMIN,
    ("post", "/api/v1/points/{uid}/checklist"): ADMIN,
    ("post", "/api/v1/points/{uid}/state"): ADMIN,
    ("post", "/api/v1/points/{uid}/sign-check"): DUTY,
    ("put", "/api/v1/points/{uid}/sign-photo"): ADMIN,
    ("get", "/api/v1/points/{uid}/sign-photo"): DUTY,
    ("get", "/api/v1/filing"): DUTY,
    ("post", "/api/v1/filing"): ADMIN,
    ("get", "/api/v1/duty"): ANY,
    ("get", "/api/v1/duty/roster"): ANY,
    ("put", "/api/v1/duty/roster"): ADMIN,
    ("get", "/api/v1/sites"): ANY,
    ("get", "/api/v1/people"): DUTY,
    ("get", "/api/v1/evidence/{evidence_id}"): ANY,
    ("head", "/api/v1/boxes/{box_id}/evidence/{alert_id}/{kind}"): BOX,
    ("patch", "/api/v1/boxes/{box_id}/evidence/{alert_id}/{kind}"): BOX,
    ("put", "/api/v1/boxes/{box_id}/evidence/{alert_id}/{kind}/lack"): BOX,
    ("get", "/api/v1/boxes/{box_id}/edge/v1/{path}"): DUTY,
    ("post", "/api/v1/boxes/{box_id}/edge/v1/{path}"): DUTY,
    ("patch", "/api/v1/boxes/{box_id}/edge/v1/{path}"): DUTY,
    ("delete", "/api/v1/boxes/{box_id}/edge/v1/{path}"): DUTY,
}

_ID = "018f0000-0000-7000-8000-000000000009"
_PARTS = {
    "alert_id": _ID,
    "incident_id": _ID,
    "activity_id": _ID,
    "evidence_id": _ID,
    "example_id": "9",
    "action": "note",
    "outbox_id": _ID,
    "digest": "ab" * 32,
    "box_id": "xiacun-1",
    "kind": "clip",
    "path": "health",
    "uid": "xiacun-1.cam1",
}
_SIGNED_OUT, _FORBIDDEN = 401, 403


def routes(centre: WebCentre) -> dict[tuple[str, str], set[str]]:
    with centre.client() as client:
        document = client.get(f"{centre.url}/api/openapi.json").json()
    return {
        (method, path): set(operation.get("x-roles", ()))
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def test_every_route_says_who_may_call_it_and_says_what_was_decided(centre):
    assert routes(centre) == DECIDED


@pytest.mark.parametrize("role", ["nobody", "wall", "duty", "admin"])
def test_every_route_lets_in_whom_it_names_and_nobody_else(centre, clock, role):
    wrong = []
    for (method, path), allowed in routes(centre).items():
        if path.endswith("/feed") and role in allowed:
            continue  # it would stream for ever; its own tests open it
        clock.advance(30)  # so many sign in from one address in a quarter of an hour, no more
        username = None if role == "nobody" else role
        pin = "2222" if role == "wall" else None
        with centre.client(username, pin) as client:
            address = re.sub(r"{(\w+)}", lambda part: _PARTS[part[1]], path)
            status = client.request(method, f"{centre.url}{address}").status_code
        if allowed == {"box"}:
            # a person's cookie is no token; without any headers it is invalid before that
            right = status in (_SIGNED_OUT, 422)
        elif allowed == {"anyone"} or role in allowed:
            right = status not in (_SIGNED_OUT, _FORBIDDEN)
        else:
            right = status == (_SIGNED_OUT if role == "nobody" else _FORBIDDEN)
        if not right:
            wrong.append((method, path, status))
    assert wrong == []
