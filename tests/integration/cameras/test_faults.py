"""What real cameras get wrong, each as it was reported, and what we make of it."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from bench import onvif_answers
from bench.onvif_answers import envelope, fault, messages, notification, response, time_of
from bench.onvif_device import Device, Request, Send, reply
from edge.cameras.camera import Camera
from edge.cameras.camera_clock import ClockSource
from edge.cameras.door import Door
from edge.cameras.event import EventKind
from edge.cameras.picture import Imaging
from edge.cameras.transport import Limits
from edge.errors import (
    CameraBadXml,
    CameraBlocked,
    CameraLoginRefused,
    CameraTimeout,
    CameraUnreachable,
    CameraUnsupported,
)
from edge.rtsp.challenge import Credentials
from protocol.clock import FakeClock, SystemClock
from tests.support.eventually import eventually
from tests.support.onvif import LOGIN, NOW, PATIENT, camera, device, in_turn, saying
from tests.support.waiting import wait_until


def created(request: Request) -> datetime:
    (text,) = re.findall(rb"Created>([^<]+)<", request.body)
    return datetime.fromisoformat(text.decode())


# -- 1: clocks ----------------------------------------------------------------------------------


def test_a_camera_years_behind_is_asked_in_its_own_time():
    with device(now=lambda: NOW - timedelta(days=700)) as one:
        assert camera(one).information().manufacturer == "Example"
        assert created(one.asked("GetDeviceInformation")[0]) == NOW - timedelta(days=700)


def test_a_camera_that_wants_a_login_even_for_its_clock_tells_it_by_http():
    refusal = reply(400, fault("NotAuthorized", "x"), {"Date": "Fri, 27 Dec 2024 12:00:00 GMT"})
    with device(scripts={"GetSystemDateAndTime": in_turn(refusal)}) as one:
        asked = camera(one)
        assert asked.information().model == "Bullet 4"
        assert asked.clock().source is ClockSource.HTTP
        assert created(one.asked("GetDeviceInformation")[0]) == NOW - timedelta(days=699)
        assert [request.is_signed for request in one.asked("GetSystemDateAndTime")] == [False] * 2


def test_an_impossible_time_is_no_time_and_stops_nothing():
    broken = time_of(NOW).replace("<tt:Month>11", "<tt:Month>13")
    with device(scripts={"GetSystemDateAndTime": saying(envelope(broken))}) as one:
        asked = camera(one)
        assert asked.clock().source is ClockSource.UNKNOWN
        assert asked.information().manufacturer == "Example"


def test_a_camera_whose_clock_was_set_meanwhile_is_asked_once_more():
    times = [NOW, NOW - timedelta(hours=8)]
    refusal = reply(400, fault("NotAuthorized", "x"))
    good = onvif_answers.ANSWERS["GetDeviceInformation"][1]
    answer = reply(200, envelope(response("tds", "GetDeviceInformation", good)))
    with device(
        now=lambda: times.pop(0) if len(times) > 1 else times[0],
        scripts={"GetDeviceInformation": in_turn(refusal, answer)},
    ) as one:
        assert camera(one).information().manufacturer == "Example"
        sent = [created(request) for request in one.asked("GetDeviceInformation")]
        assert sent == [NOW, NOW - timedelta(hours=8)]


def test_a_camera_that_refuses_in_its_new_time_too_is_not_asked_a_third_time():
    times = [NOW, NOW - timedelta(hours=8)]
    with device(now=lambda: times.pop(0) if len(times) > 1 else times[0]) as one:
        asked = camera(one, Credentials("operator", "wrong"))
        for _ in range(3):
            with pytest.raises(CameraLoginRefused):
                asked.information()
        assert sum(request.is_signed for request in one.requests) == 2


def test_a_camera_far_ahead_is_asked_only_by_consent():
    with device(now=lambda: NOW + timedelta(days=2)) as one:
        with pytest.raises(CameraBlocked, match="ahead"):
            camera(one).information()
        assert not any(request.is_signed for request in one.requests)
        assert camera(one, may_be_ahead=True).information().manufacturer == "Example"


# -- 2: setting the clock -----------------------------------------------------------------------


def test_the_clock_is_set_in_utc_and_the_zone_left_alone():
    with device() as one:
        camera(one).set_clock(datetime(2026, 11, 26, 20, 0, 5, tzinfo=UTC))
        body = one.asked("SetSystemDateAndTime")[0].body
    assert b"Hour>20<" in body
    assert b"Second>5<" in body
    assert b"TimeZone" not in body


def test_a_camera_that_insists_on_a_zone_is_given_its_own():
    refusal = reply(400, fault("InvalidTimeZone", "x"))
    answer = reply(200, envelope(response("tds", "SetSystemDateAndTime", "")))
    with device(scripts={"SetSystemDateAndTime": in_turn(refusal, answer)}) as one:
        camera(one).set_clock(NOW)
        assert re.search(rb"TZ[^>]*>CST-8<", one.asked("SetSystemDateAndTime")[1].body)


def test_a_time_without_a_zone_is_no_time_to_set():
    with device() as one, pytest.raises(ValueError, match="aware"):
        camera(one).set_clock(datetime(2026, 1, 1))  # noqa: DTZ001 - that is what is refused


# -- 3 and 7: addresses -------------------------------------------------------------------------


def test_services_inside_a_nat_are_asked_at_our_door_and_said_so():
    inside = {
        prefix: f"http://192.168.68.111:80{path}" for prefix, path in onvif_answers.SERVICES.items()
    }
    with device(advertised=inside) as one:
        asked = camera(one)
        assert len(asked.media.profiles()) == 2
        claimed = {uri.claimed for uri in asked.rewritten()}
        assert claimed == set(inside.values())


def test_one_foreign_service_costs_no_other():
    with device(advertised={"tptz": "http://169.254.169.254/ptz"}) as one:
        asked = camera(one)
        main = asked.media.profiles()[0]
        assert asked.media.stream(main).url.startswith("rtsp://127.0.0.1:8554/")
        with pytest.raises(CameraBlocked):
            asked.presets(main)


def test_a_camera_with_a_path_of_its_own_is_asked_there():
    with device() as one:
        door = Door.parse(f"{one.base}/onvif/service")
        Camera(door, LOGIN, FakeClock(NOW), limits=PATIENT).information()
        assert {request.path for request in one.requests} == {"/onvif/service"}


# -- 4 and 5: logins ----------------------------------------------------------------------------


def test_a_camera_that_wants_http_digest_gets_it_on_its_challenge():
    with device(digest=True) as one:
        asked = camera(one)
        assert asked.information().manufacturer == "Example"
        assert len(asked.media.profiles()) == 2
        first, second = one.asked("GetDeviceInformation")
        assert "authorization" not in first.headers
        assert second.headers["authorization"].startswith("Digest ")


def test_a_nonce_is_used_once():
    def challenge(nonce: str) -> bytes:
        asked = f'Digest realm="camera", nonce="{nonce}", qop="auth"'
        return reply(401, b"", {"WWW-Authenticate": asked})

    good = onvif_answers.ANSWERS["GetDeviceInformation"][1]
    answer = reply(200, envelope(response("tds", "GetDeviceInformation", good)))
    script = in_turn(challenge("n1"), answer, challenge("n2"), answer)
    with device(scripts={"GetDeviceInformation": script}) as one:
        asked = camera(one)
        asked.information()
        asked.information()
        sent = [
            request.headers.get("authorization", "")
            for request in one.asked("GetDeviceInformation")
        ]
    assert [re.findall(r'nonce="(n\d)"', header) for header in sent] == [[], ["n1"], [], ["n2"]]


def test_a_wrong_password_over_http_digest_is_sent_once():
    with device(digest=True) as one:
        asked = camera(one, Credentials("operator", "wrong"))
        for _ in range(3):
            with pytest.raises(CameraLoginRefused):
                asked.information()
        signed = [request for request in one.requests if "authorization" in request.headers]
        assert len(signed) == 1


def test_a_password_never_goes_out_as_it_is():
    basic = reply(401, b"", {"WWW-Authenticate": 'Basic realm="x"'})
    with device(scripts={"*": in_turn(basic)}) as one:
        with pytest.raises(CameraLoginRefused):
            camera(one).information()
        assert not any("authorization" in request.headers for request in one.requests)
        assert not any(LOGIN.password.encode() in request.body for request in one.requests)


def test_a_token_is_of_whole_seconds_in_utc_with_a_short_nonce():
    with device() as one:
        camera(one).information()
        body = one.asked("GetDeviceInformation")[0].body
    assert re.search(rb"Created>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ<", body)
    (nonce,) = re.findall(rb"Nonce[^>]*>([^<]+)<", body)
    assert len(nonce) == 24


def test_no_token_is_used_twice():
    with device() as one:
        asked = camera(one)
        for _ in range(5):
            asked.information()
        nonces = {
            re.findall(rb"Nonce[^>]*>([^<]+)<", request.body)[0]
            for request in one.asked("GetDeviceInformation")
        }
    assert len(nonces) == 5


def test_a_camera_that_wants_no_login_is_asked_without_one():
    with device(login=None) as one:
        assert camera(one, None).information().manufacturer == "Example"
        assert not any(request.is_signed for request in one.requests)


# -- 6: lock-out --------------------------------------------------------------------------------


def test_after_a_refused_login_nothing_signed_is_sent_until_somebody_else_asks():
    with device() as one:
        asked = camera(one, Credentials("operator", "wrong"))
        for question in (asked.information, asked.media.profiles, asked.reboot, asked.events):
            with pytest.raises(CameraLoginRefused):
                question()
        assert sum(request.is_signed for request in one.requests) == 1
        assert camera(one).information().manufacturer == "Example"


# -- 8: capabilities ----------------------------------------------------------------------------


def test_a_camera_without_a_list_of_services_is_believed_by_its_capabilities():
    scripts = {"GetServices": saying(fault("ActionNotSupported", "x"), 400)}
    with device(scripts=scripts) as one:
        profiles = camera(one).media.profiles()
    assert [(profile.token, profile.encoding) for profile in profiles] == [
        ("main", "H264"),
        ("sub", "H264"),
    ]


# -- 9, 10 and 11: events -----------------------------------------------------------------------


def test_nothing_is_subscribed_to_until_somebody_asks_and_what_is_is_ended():
    with device() as one:
        asked = camera(one)
        asked.media.profiles()
        assert one.asked("CreatePullPointSubscription") == []
        with asked.events():
            assert one.asked("Unsubscribe") == []
        assert len(one.asked("CreatePullPointSubscription")) == 1
        assert len(one.asked("Unsubscribe")) == 1


def test_a_subscription_is_ended_also_where_its_user_fails():
    with device() as one:
        with pytest.raises(RuntimeError), camera(one).events():
            raise RuntimeError
        assert len(one.asked("Unsubscribe")) == 1


def test_motion_and_tamper_come_with_their_topics():
    reported = notification("tns1:VideoSource/MotionAlarm", "State", "true") + notification(
        "tns1:RuleEngine/TamperDetector/Tamper", "State", "false"
    )
    with device(events=reported) as one, camera(one).events() as events:
        batch = events.pull(timedelta(seconds=0))
    assert [(event.kind, event.active) for event in batch.events] == [
        (EventKind.MOTION, True),
        (EventKind.TAMPER, False),
    ]


def test_a_subscription_is_told_by_its_reference_parameters_everywhere():
    with device() as one, camera(one).events() as events:
        events.pull(timedelta(seconds=0))
        events.close()
        for operation in ("SetSynchronizationPoint", "PullMessages", "Unsubscribe"):
            assert b"Subscription" in one.asked(operation)[0].body
            assert b'IsReferenceParameter="true">7</' in one.asked(operation)[0].body


def test_a_subscription_is_renewed_before_it_lapses_and_with_addressing():
    with device() as one:
        clock = FakeClock(NOW)
        asked = Camera(Door.parse(one.base), LOGIN, clock, limits=PATIENT)
        with asked.events() as events:
            events.pull(timedelta(seconds=0))
            assert one.asked("Renew") == []
            clock.advance(40)
            events.pull(timedelta(seconds=0))
            events.pull(timedelta(seconds=0))
        (renewal,) = one.asked("Renew")
    assert b"PT60S" in renewal.body
    assert b"SubscriptionManager/RenewRequest</" in renewal.body


def test_only_the_subscription_is_managed_with_addressing():
    with device() as one, camera(one).events() as events:
        events.pull(timedelta(seconds=0))
        assert b"MessageID" not in one.asked("PullMessages")[0].body
        assert b"MessageID" not in one.asked("GetServices")[0].body


def test_a_long_poll_keeps_no_other_question_waiting():
    with device() as one:
        asked = camera(one)

        async def hold(_request: Request, send: Send) -> None:
            # Answers only once another question has been asked and answered meanwhile.
            await eventually(lambda: one.asked("GetDeviceInformation"))
            await send(reply(200, envelope(messages(""))))

        one.scripts["PullMessages"] = hold
        with asked.events() as events, ThreadPoolExecutor(1) as pool:
            polled = pool.submit(events.pull, timedelta(seconds=5))
            wait_until(lambda: one.asked("PullMessages"))
            assert asked.information().manufacturer == "Example"
            assert polled.result(timeout=30).events == ()


def test_a_subscription_without_an_address_is_none():
    bare = "<tev:SubscriptionReference/>"
    answer = envelope(response("tev", "CreatePullPointSubscription", bare))
    scripts = {"CreatePullPointSubscription": saying(answer)}
    with device(scripts=scripts) as one, pytest.raises(CameraBadXml):
        camera(one).events()


def test_a_camera_that_does_not_hear_the_end_of_a_subscription_costs_no_error():
    scripts = {"Unsubscribe": saying(fault("ActionNotSupported", "x"), 400)}
    with device(scripts=scripts) as one:
        with camera(one).events():
            pass
        assert len(one.asked("Unsubscribe")) == 1


def test_a_camera_that_knows_no_synchronisation_is_subscribed_to_all_the_same():
    scripts = {"SetSynchronizationPoint": saying(fault("ActionNotSupported", "x"), 400)}
    with device(scripts=scripts) as one, camera(one).events() as events:
        assert events.pull(timedelta(seconds=0)).events == ()


# -- 12 and 13: what is in answers --------------------------------------------------------------


def test_an_answer_to_another_question_is_not_read_as_one():
    other = envelope(response("tds", "GetHostname", ""))
    with device(scripts={"GetDeviceInformation": saying(other)}) as one:
        with pytest.raises(CameraBadXml):
            camera(one).information()
        assert len(one.asked("GetDeviceInformation")) == 1, "it is asked once, whatever it says"


def test_a_camera_that_leaves_everything_out_is_unknown_and_no_error():
    bare = envelope(response("tds", "GetDeviceInformation", ""))
    with device(scripts={"GetDeviceInformation": saying(bare)}) as one:
        assert camera(one).information().manufacturer == ""


# -- 14: profiles -------------------------------------------------------------------------------


def test_h265_is_known_by_media2():
    with device() as one:
        main, sub = camera(one).media.profiles()
    assert (main.encoding, main.width_px, main.height_px, main.fps) == ("H265", 1920, 1080, 25.0)
    assert (sub.encoding, sub.bit_rate_kbps, sub.group_frames) == ("H264", 2048, 50)


def media1_alone(one: Device) -> None:
    at = {"trt": f"{one.base}/onvif/media"}
    one.scripts["GetServices"] = saying(envelope(onvif_answers.services(at)))


def test_a_camera_without_media2_is_asked_by_media1():
    with device() as one:
        media1_alone(one)
        asked = camera(one)
        main, sub = asked.media.profiles()
        assert (main.encoding, main.width_px, main.fps, main.group_frames) == ("H264", 1920, 25, 50)
        assert (sub.height_px, sub.source, sub.has_ptz) == (360, "source-1", False)
        assert asked.media.stream(main).url == "rtsp://127.0.0.1:8554/main"
        assert asked.media.snapshot(main).url == f"{one.base}/snapshot.jpg"
        assert b"RTP-Unicast" in one.asked("GetStreamUri")[0].body


def test_a_service_that_a_camera_does_not_have_is_unsupported():
    with device() as one:
        media1_alone(one)
        asked = camera(one)
        with pytest.raises(CameraUnsupported, match="ptz"):
            asked.presets(asked.media.profiles()[0])
        with pytest.raises(CameraUnsupported, match="events"):
            asked.events()
        with pytest.raises(CameraUnsupported, match="imaging"):
            asked.picture.imaging("source-1")


def test_a_media2_that_is_listed_and_not_there_costs_nothing():
    with device() as one:
        one.advertised["tr2"] = f"{one.base}/nowhere"
        profiles = camera(one).media.profiles()
    assert [profile.encoding for profile in profiles] == ["H264", "H264"]


def test_a_profile_without_an_encoder_is_told_as_it_is():
    bare = '<tr2:Profiles token="p"><tr2:Name>p</tr2:Name></tr2:Profiles><tr2:Profiles token=""/>'
    scripts = {"GetProfiles": saying(envelope(response("tr2", "GetProfiles", bare)))}
    with device(scripts=scripts) as one:
        (profile,) = camera(one).media.profiles()
    assert (profile.token, profile.encoding, profile.width_px) == ("p", "", None)


def test_a_camera_without_a_snapshot_address_says_unsupported():
    empty = envelope(response("tr2", "GetSnapshotUri", "<tr2:Uri> </tr2:Uri>"))
    with device(scripts={"GetSnapshotUri": saying(empty)}) as one:
        asked = camera(one)
        with pytest.raises(CameraUnsupported):
            asked.snapshot(asked.media.profiles()[0])


# -- 15: slow and absent ------------------------------------------------------------------------


def test_a_camera_is_asked_one_thing_at_a_time_whoever_asks():
    at_once, most = 0, 0
    good = onvif_answers.ANSWERS["GetDeviceInformation"][1]
    answer = reply(200, envelope(response("tds", "GetDeviceInformation", good)))

    async def counting(_request: Request, send: Send) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)  # lets another one in, if there is any
        await send(answer)
        at_once -= 1

    with device(scripts={"GetDeviceInformation": counting}) as one:
        asked = camera(one)
        with ThreadPoolExecutor(8) as pool:
            told = [pool.submit(asked.information) for _ in range(24)]
            assert {each.result(timeout=60).model for each in told} == {"Bullet 4"}
        sent = one.asked("GetDeviceInformation")
    assert most == 1
    assert {created(request) for request in sent} == {NOW}


def test_a_camera_that_nobody_switched_on_is_unreachable():
    with device() as one:
        gone = one.base
    with pytest.raises(CameraUnreachable):
        Camera(Door.parse(gone), LOGIN, SystemClock(), limits=PATIENT).information()


def test_a_name_that_nobody_knows_is_unreachable():
    with pytest.raises(CameraUnreachable):
        Camera(Door.parse("http://camera.invalid"), LOGIN, SystemClock())


def test_a_camera_that_accepts_and_stays_silent_is_given_up():
    async def silent(_request: Request, _send: Send) -> None:
        await asyncio.Event().wait()

    with device(scripts={"*": silent}) as one:
        hasty = Camera(
            Door.parse(one.base), LOGIN, SystemClock(), limits=Limits(read_s=0.2, total_s=5)
        )
        with pytest.raises(CameraTimeout):
            hasty.information()


# -- what else it can be told -------------------------------------------------------------------


def test_a_picture_with_another_login_ends_nothing_else():
    refusal = reply(401, b"", {"WWW-Authenticate": 'Basic realm="x"'})
    with device(scripts={"": in_turn(refusal, reply(404, b""))}) as one:
        asked = camera(one)
        main = asked.media.profiles()[0]
        with pytest.raises(CameraLoginRefused, match="another login"):
            asked.snapshot(main)
        with pytest.raises(CameraUnsupported):
            asked.snapshot(main)
        assert asked.information().manufacturer == "Example"


def test_presets_are_listed_and_turned_to():
    with device() as one:
        asked = camera(one)
        main = asked.media.profiles()[0]
        presets = asked.presets(main)
        asked.turn_to(main, presets[1])
        assert [preset.name for preset in presets] == ["村口", "晒场"]
        assert b"PresetToken>2<" in one.asked("GotoPreset")[0].body


def test_imaging_changes_only_what_is_given():
    with device() as one:
        asked = camera(one)
        assert asked.picture.imaging("source-1") == Imaging(50.0, 40.0, 60.0, None)
        asked.picture.set_imaging("source-1", Imaging(contrast=45))
        body = one.asked("SetImagingSettings")[0].body
    assert re.search(rb"Contrast[^>]*>45<", body)
    assert b"Brightness" not in body


def test_a_text_in_the_picture_is_changed_where_it_stands():
    with device() as one:
        asked = camera(one)
        (overlay,) = asked.picture.overlays()
        asked.picture.set_text(overlay.token, "大石桥")
        body = one.asked("SetOSD")[0].body.decode()
    assert (overlay.text, overlay.kind, overlay.source) == ("村口", "Plain", "vsc")
    assert "PlainText>大石桥<" in body
    assert 'x="-0.9"' in body
    assert "FontSize>32<" in body


def test_a_text_that_is_not_there_is_not_changed():
    bare = envelope(response("trt", "GetOSD", ""))
    with device(scripts={"GetOSD": saying(bare)}) as one:
        with pytest.raises(CameraUnsupported):
            camera(one).picture.set_text("osd-9", "x")
        assert one.asked("SetOSD") == []


def test_a_camera_is_started_anew():
    with device() as one:
        assert camera(one).reboot() == "in 30 seconds"


def test_a_snapshot_is_fetched_with_a_digest():
    with device(digest=True) as one:
        asked = camera(one)
        assert asked.snapshot(asked.media.profiles()[0]).startswith(b"\xff\xd8")
