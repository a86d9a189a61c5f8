"""What real cameras answer instead of what was asked; the numbers are of the list of faults."""

from datetime import timedelta

import pytest

from bench import onvif_answers
from bench.onvif_answers import envelope, fault, notification, response
from bench.onvif_device import reply
from edge.cameras.event import EventKind
from edge.errors import CameraBadXml, CameraError
from tests.support.onvif import NOW, camera, device, in_turn, saying

NOBODY_LISTENS = timedelta(0)

ODD = {
    "nothing": b"",
    "a page": b"<html><body>Web Service</body></html>",
    "no UTF-8": envelope(response("tds", "GetDeviceInformation", "x")).replace(b"x", b"\xff\xfe"),
    "a prefix that nobody declared": envelope("<nobody:Response/>"),
    "half of it": onvif_answers.envelope("")[:-30],
}


def test_2_a_camera_that_answers_junk_to_a_set_clock_is_told_so_and_asked_on():
    with device(scripts={"SetSystemDateAndTime": saying(b"OK")}) as one:
        asked = camera(one)
        with pytest.raises(CameraBadXml):
            asked.set_clock(NOW)
        assert len(one.asked("SetSystemDateAndTime")) == 1
        assert asked.information().manufacturer == "Example"


@pytest.mark.parametrize(
    "claimed", ["rtsp://192.168.68.111:554:554/main", "rtsp://0.0.0.0:554/main"]
)
def test_3_a_stream_at_an_inner_address_is_pulled_at_the_cameras_own(claimed):
    address = f"<tr2:Uri>{claimed}</tr2:Uri>"
    answer = envelope(response("tr2", "GetStreamUri", address))
    with device(scripts={"GetStreamUri": saying(answer)}) as one:
        asked = camera(one)
        uri = asked.media.stream(asked.media.profiles()[0])
    assert uri.url == "rtsp://127.0.0.1:554/main"
    assert uri.claimed is not None


def test_6_a_camera_whose_onvif_is_off_is_no_onvif_camera_and_sees_no_second_login():
    page = reply(404, b"<html><body>404 Not Found</body></html>")
    with device(scripts={"*": in_turn(page)}) as one:
        asked = camera(one)
        for _ in range(2):
            with pytest.raises(CameraBadXml):
                asked.information()


def test_8_a_camera_that_says_it_has_no_pull_points_is_asked_for_one():
    says_no = (
        "<tds:Capabilities><tt:Events><tt:XAddr>{base}/onvif/events</tt:XAddr>"
        "<tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport>"
        "<tt:WSPullPointSupport>false</tt:WSPullPointSupport></tt:Events></tds:Capabilities>"
    )
    with device() as one:
        answer = envelope(response("tds", "GetCapabilities", says_no.format(base=one.base)))
        one.scripts |= {
            "GetServices": saying(fault("ActionNotSupported", "x"), 400),
            "GetCapabilities": saying(answer),
        }
        with camera(one).events() as events:
            events.pull(NOBODY_LISTENS)
        assert len(one.asked("CreatePullPointSubscription")) == 1


def test_9_a_camera_that_forgot_a_subscription_ends_it_and_takes_another():
    with device() as one:
        asked = camera(one)
        with asked.events() as events:
            events.pull(NOBODY_LISTENS)
            one.scripts["PullMessages"] = saying(fault("InvalidArgVal", "no such one"), 400)
            with pytest.raises(CameraError):
                events.pull(NOBODY_LISTENS)
        del one.scripts["PullMessages"]
        with asked.events() as again:
            again.pull(NOBODY_LISTENS)
        assert len(one.asked("CreatePullPointSubscription")) == 2


@pytest.mark.parametrize("at", ["00:61:16Z", "2485-13-13T00:00:00Z", "0000-00-00T00:00:00Z"])
def test_12_an_event_of_an_impossible_time_is_an_event_of_now(at):
    reported = notification("tns1:VideoSource/MotionAlarm", "State", "true", at=at)
    with device(events=reported) as one, camera(one).events() as events:
        (event,) = events.pull(NOBODY_LISTENS).events
    assert (event.kind, event.active) == (EventKind.MOTION, True)
    assert (event.received, event.told) == (NOW, None)


@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
def test_13_what_can_not_be_read_costs_that_question_alone(said):
    with device(scripts={"GetDeviceInformation": saying(said)}) as one:
        asked = camera(one)
        with pytest.raises(CameraBadXml):
            asked.information()
        assert len(asked.media.profiles()) == 2


def test_14_a_camera_without_profiles_has_no_streams_and_that_is_no_error():
    empty = (reply(200, envelope(response(of, "GetProfiles", ""))) for of in ("tr2", "trt"))
    with device(scripts={"GetProfiles": in_turn(*empty)}) as one:
        assert camera(one).media.profiles() == ()
        assert len(one.asked("GetProfiles")) == 2, "media1 is asked where media2 lists none"
