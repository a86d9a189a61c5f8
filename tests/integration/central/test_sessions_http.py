from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from central.auth import sessions
from central.auth.passwords import verify
from central.auth.tokens import hash_token
from central.codes import Post, Role
from central.db.models import Session, Shift, ShiftAssignment
from central.ingest.consumer import ConsumerStatus
from central.ingest.pulse import write_pulse
from central.setup import put_account
from tests.support.web_centre import PASSWORD, enter_accounts, running_centre
from tests.support.xiacun import NOW, REGION, enter_village


def test_signing_in_gives_a_cookie_that_scripts_cannot_read(centre, database):
    with centre.client() as client:
        answer = client.post("/session", json={"username": "duty", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert ("HttpOnly" in cookie, "SameSite=lax" in cookie, "Secure" in cookie) == (
            True,
            True,
            False,
        )
        body = answer.json()
        assert (body["user"], body["operator"], body["village"]) == (
            {"username": "duty", "name": "duty", "role": "duty"},
            None,
            {"name": "下村", "region_code": "532324001002", "time_zone": "Asia/Shanghai"},
        )
        assert body["person"]["name"] == "张建国"
        token = client.cookies["tanshao_session"]
    with database.read() as session:
        assert session.scalars(select(Session.id_sha256)).all() == [hash_token(token)]


def test_the_cookie_is_secure_where_people_come_by_https(database, clock, tmp_path):
    enter_village(database)
    enter_accounts(database)
    url = "https://tanshao.example.org"
    with (
        running_centre(database, clock, tmp_path, public_url=url) as centre,
        centre.client() as client,
    ):
        answer = client.post("/session", json={"username": "duty", "password": PASSWORD})
        assert "Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(("name", "password"), [("duty", "wrong-password"), ("nobody", PASSWORD)])
def test_a_wrong_name_or_password_is_told_the_same(centre, name, password):
    with centre.client() as client:
        answer = client.post("/session", json={"username": name, "password": password})
    assert (answer.status_code, answer.json()["message"]) == (401, "name or password is wrong")


def test_after_too_many_tries_the_right_password_must_wait_too(centre, clock):
    with centre.client() as client:
        wrong = {"username": "duty", "password": "wrong-password"}
        tries = [client.post("/session", json=wrong).status_code for _ in range(11)]
        assert tries == [401] * 10 + [429]
        right = {"username": "duty", "password": PASSWORD}
        assert client.post("/session", json=right).status_code == 429
        clock.advance(15 * 60 + 1)
        assert client.post("/session", json=right).status_code == 200


def test_the_right_password_forgets_the_wrong_tries(centre):
    with centre.client() as client:
        wrong = {"username": "duty", "password": "wrong-password"}
        right = {"username": "duty", "password": PASSWORD}
        for _ in range(2):
            codes = {client.post("/session", json=wrong).status_code for _ in range(9)}
            assert codes == {401}
            assert client.post("/session", json=right).status_code == 200


def test_a_password_that_is_changed_while_it_is_checked_lets_nobody_in(
    centre, database, monkeypatch
):
    def change_meanwhile(password: str, kept: str | None) -> bool:
        with database.write() as session:
            put_account(session, "duty", Role.DUTY, "duty", "zhang", "another-password")
        return verify(password, kept)

    monkeypatch.setattr(sessions, "verify", change_meanwhile)
    with centre.client() as client:
        answer = client.post("/session", json={"username": "duty", "password": PASSWORD})
    assert answer.status_code == 401
    with database.read() as session:
        assert session.scalars(select(Session)).all() == []


def test_signing_out_ends_the_session_on_the_server(centre):
    with centre.client("duty") as client:
        token = client.cookies["tanshao_session"]
        assert client.delete("/session").status_code == 204
        client.cookies.set("tanshao_session", token)
        assert client.get("/session").status_code == 401


def test_a_session_goes_on_with_its_use_and_ends_without(centre, clock):
    with centre.client("duty") as client:
        for _ in range(3):
            clock.advance(11 * 3600)
            assert client.get("/session").status_code == 200
        clock.advance(12 * 3600 + 1)
        assert client.get("/session").status_code == 401


def test_a_wall_stays_signed_in_and_its_operator_goes_with_the_shift(centre, clock):
    with centre.client("wall", pin="2222") as wall:
        shown = wall.get("/session").json()
        assert (shown["operator"]["name"], shown["person"]["name"]) == ("李秀英", "李秀英")
        clock.advance(12 * 3600)  # the shift ends in twelve hours
        assert wall.get("/session").json()["operator"] is None


def add_shift(database, name: str, starts_after_h: float, *people: str) -> None:
    start = NOW + timedelta(hours=starts_after_h)
    with database.write() as session:
        shift = Shift(region_code=REGION, name=name, start=start, end=start + timedelta(hours=8))
        session.add(shift)
        session.flush()
        session.add_all(
            ShiftAssignment(shift_id=shift.id, person_id=person, post=Post.OFFICER)
            for person in people
        )


def test_an_operator_who_is_held_over_leaves_when_somebody_else_takes_over(centre, clock, database):
    add_shift(database, "空班", 12.5)  # nobody came
    add_shift(database, "加班", 13, "li")  # their own next shift relieves nobody
    add_shift(database, "乙班", 14, "wang")
    clock.advance(12.25 * 3600)  # the shift ended a quarter of an hour ago
    with centre.client("wall", pin="2222") as wall:
        for hours, operator in ((1.5, "李秀英"), (0.25, None)):
            clock.advance(hours * 3600)
            shown = wall.get("/session").json()["operator"]
            assert (shown and shown["name"]) == operator


def test_an_operator_who_is_held_over_and_never_relieved_stays_for_so_long(centre, clock):
    clock.advance(12.25 * 3600)
    with centre.client("wall", pin="2222") as wall:
        for hours, there in ((11.5, True), (0.5, False)):
            clock.advance(hours * 3600)
            assert (wall.get("/session").json()["operator"] is not None) is there


def test_an_operator_may_leave_the_wall(centre):
    with centre.client("wall", pin="2222") as wall:
        assert wall.delete("/session/operator").status_code == 204
        assert wall.get("/session").json()["operator"] is None


def test_a_wrong_pin_is_refused_and_soon_no_longer_heard(centre):
    with centre.client("wall") as wall:
        codes = [wall.post("/session/operator", json={"pin": "9999"}).status_code for _ in range(9)]
        assert codes == [401] * 8 + [429]
        assert wall.post("/session/operator", json={"pin": "12x4"}).status_code == 422


def test_a_right_pin_does_not_give_a_guesser_new_tries(centre):
    with centre.client("wall") as wall:

        def tried(pin: str, times: int) -> list[int]:
            return [
                wall.post("/session/operator", json={"pin": pin}).status_code for _ in range(times)
            ]

        assert tried("9999", 7) == [401] * 7
        assert tried("2222", 1) == [200]  # the guesser's own
        assert tried("9999", 7) == [401] + [429] * 6


def test_signing_in_anew_does_not_give_a_guesser_new_tries(centre):
    codes = []
    for _ in range(3):
        with centre.client("wall") as wall:
            codes += [
                wall.post("/session/operator", json={"pin": "9999"}).status_code for _ in range(4)
            ]
    assert codes == [401] * 8 + [429] * 4


def test_a_patient_guesser_gets_thirty_tries_a_day(centre, clock):
    codes = []
    with centre.client("wall") as wall:
        for _ in range(8):
            for _ in range(5):
                answer = wall.post("/session/operator", json={"pin": "9999"})
                codes.append(answer.status_code)
            clock.advance(5 * 60 + 1)
        assert codes == [401] * 30 + [429] * 10
        assert answer.json()["message"] == "too many tries; come back in 1405 minutes"
        clock.advance(86_400)
        assert wall.post("/session/operator", json={"pin": "2222"}).status_code == 200


def test_a_wall_in_daily_use_does_not_lock_itself(centre):
    with centre.client("wall") as wall:
        codes = {
            wall.post("/session/operator", json={"pin": pin}).status_code
            for _ in range(20)
            for pin in ("2222", "1111")
        }
        assert codes == {200}
        wrong = [wall.post("/session/operator", json={"pin": "9999"}).status_code for _ in range(9)]
        assert wrong == [401] * 8 + [429]


def test_a_wall_without_an_operator_only_looks(centre):
    with centre.client("wall") as wall:
        path = "/alerts/018f0000-0000-7000-8000-000000000001/ack"
        answer = wall.post(path, json={"device": "wall"})
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({}, 403),  # a cookie brought by hand
        ({"sec-fetch-site": "same-origin"}, 204),
    ],
)
def test_what_another_site_sends_with_our_cookie_is_refused(centre, headers, status):
    with centre.client("duty") as duty:
        cookies = dict(duty.cookies)
    with httpx.Client(base_url=f"{centre.url}/api/v1", cookies=cookies) as stranger:
        assert stranger.delete("/session", headers=headers).status_code == status


def test_another_site_cannot_sign_a_browser_in(centre):
    body = {"username": "duty", "password": PASSWORD}
    with httpx.Client(base_url=f"{centre.url}/api/v1") as stranger:
        answer = stranger.post("/session", json=body, headers={"origin": "https://evil.example"})
    assert answer.status_code == 403


def test_every_answer_keeps_the_page_to_itself(centre):
    with centre.client("duty") as duty:
        headers = duty.get("/session").headers
    host = centre.url.removeprefix("http://")
    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'self'" in policy
    assert f"connect-src 'self' ws://{host} wss://{host}" in policy
    assert "frame-ancestors 'none'" in policy
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_a_host_that_is_none_does_not_get_into_the_policy(centre):
    with httpx.Client(base_url=centre.url) as client:
        answer = client.get("/api/v1/health", headers={"host": "x; script-src *"})
    assert "script-src" not in answer.headers["content-security-policy"]


def pulse(database, at, **changes):
    with database.write() as session:
        status = ConsumerStatus(connected=True, committed=7, committed_at=at)
        write_pulse(session, "_centre", NOW, replace(status, **changes), at)


def test_the_health_page_says_what_works(centre, database, clock):
    pulse(database, NOW, queued=2, overflowed=1)
    with centre.client() as anyone:
        said = anyone.get("/health").json()
    assert (said["status"], said["database"], said["browsers"]) == ("ok", True, 0)
    assert said["evidence"] is True
    assert said["consumers"] == [
        {
            "name": "_centre",
            "works": True,
            "connected": True,
            "seen_at": "2026-11-22T06:00:00Z",
            "queued": 2,
            "committed": 7,
            "committed_at": "2026-11-22T06:00:00Z",
            "dropped": 1,
            "refused": 0,
        }
    ]


def test_a_centre_whose_consumer_is_silent_or_without_a_broker_is_degraded(centre, database, clock):
    with centre.client() as anyone:
        assert anyone.get("/health").json()["status"] == "degraded"  # there is none
        pulse(database, NOW, connected=False)
        assert anyone.get("/health").json()["status"] == "degraded"
        pulse(database, NOW)
        clock.advance(30)
        assert anyone.get("/health").json()["status"] == "ok"
        clock.advance(1)
        said = anyone.get("/health").json()
    assert (said["status"], said["consumers"][0]["works"]) == ("degraded", False)


def test_an_interface_that_was_not_built_is_said_plainly_and_served_once_it_is(centre, tmp_path):
    with httpx.Client(base_url=centre.url) as client:
        for path in ("/", "/wall", "/review", "/incidents/x", "/login", "/about"):
            answer = client.get(path)
            assert (answer.status_code, "界面尚未构建" in answer.text) == (503, True)
        dist = tmp_path / "dist"
        (dist / "assets").mkdir(parents=True)
        (dist / "index.html").write_text("<title>探哨</title>", encoding="utf-8")
        (dist / "assets" / "app-1a2b.js").write_text("1", encoding="utf-8")
        for path in ("/", "/wall", "/incidents/x"):
            answer = client.get(path)
            assert (answer.status_code, answer.text, answer.headers["cache-control"]) == (
                200,
                "<title>探哨</title>",
                "no-cache",
            )
        script = client.get("/assets/app-1a2b.js")
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert client.get("/assets/none.js").status_code == 404
        missing = client.get("/api/v1/none")
        assert (missing.status_code, missing.json()["error"]) == (404, "not_found")
        assert client.get("/..%2f..%2fetc/passwd").status_code == 404


def test_a_body_that_no_route_needs_is_refused_before_it_is_read(centre):
    with centre.client() as client:
        assert client.post("/session", content=b"x" * 1_000_001).status_code == 413
        assert client.post("/session", content=iter([b"{}"])).status_code == 411
