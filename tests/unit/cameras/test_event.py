from datetime import UTC, datetime

import pytest

from bench.onvif_answers import envelope, messages, notification
from edge.cameras import event, soap
from edge.cameras.event import MAX_EVENTS, Batch, EventKind
from edge.errors import CameraBadXml

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)


def read(*notifications: str) -> Batch:
    return event.read(soap.checked(200, envelope(messages("".join(notifications)))), NOW)


@pytest.mark.parametrize(
    ("topic", "name", "value", "kind", "active"),
    [
        ("tns1:RuleEngine/CellMotionDetector/Motion", "IsMotion", "true", EventKind.MOTION, True),
        ("\n tns1:RuleEngine/CellMotionDetector/Motion//. ", "IsMotion", "0", "motion", False),
        ("tns1:VideoSource/tns1:MotionAlarm", "State", "1", EventKind.MOTION, True),
        ("tns1:RuleEngine/TamperDetector/Tamper", "State", "TRUE", EventKind.TAMPER, True),
        ("tns1:VideoSource/GlobalSceneChange/ImagingService", "State", "false", "tamper", False),
        ("tns1:Device/Trigger/DigitalInput", "LogicalState", "true", EventKind.OTHER, True),
        ("tns1:Monitoring/ProcessorUsage", "Value", "37", EventKind.OTHER, None),
    ],
)
def test_motion_and_tamper_are_told_apart_by_their_topic(topic, name, value, kind, active):
    (one,) = read(notification(topic, name, value)).events
    assert (one.kind, one.active, one.data) == (kind, active, {name: value})
    assert one.source == {"VideoSourceConfigurationToken": "vsc"}


def test_a_topic_is_kept_without_prefixes_and_tails():
    topic = "\n tns1:RuleEngine/tns1:CellMotionDetector/Motion//."
    assert read(notification(topic, "IsMotion", "true")).events[0].topic == (
        "RuleEngine/CellMotionDetector/Motion"
    )


@pytest.mark.parametrize("told", ["00:61:16Z", "2485-13-13T00:00:00Z", "0000-00-00", "", "x"])
def test_an_impossible_time_costs_no_event(told):
    (one,) = read(notification("tns1:VideoSource/MotionAlarm", "State", "true", at=told)).events
    assert (one.told, one.received) == (None, NOW)


@pytest.mark.parametrize(
    ("told", "read_as"),
    [
        ("2026-11-26T20:00:00+08:00", NOW),
        ("2026-11-26T12:00:00Z", NOW),
        ("2026-11-26T12:00:00", NOW),
    ],
)
def test_what_a_camera_says_of_time_is_in_utc(told, read_as):
    (one,) = read(notification("tns1:VideoSource/MotionAlarm", "State", "true", at=told)).events
    assert one.told == read_as


def test_an_event_that_can_not_be_read_costs_only_itself():
    whole = notification("tns1:VideoSource/MotionAlarm", "State", "true")
    empty = "<wsnt:NotificationMessage/>"
    batch = read(empty, whole, empty)
    assert (len(batch.events), batch.dropped) == (1, 2)


def test_more_events_than_are_taken_are_counted():
    whole = notification("tns1:VideoSource/MotionAlarm", "State", "true")
    batch = read(*[whole] * (MAX_EVENTS + 7))
    assert (len(batch.events), batch.dropped) == (MAX_EVENTS, 7)


def test_another_answer_is_no_batch_of_events():
    for answer in (None, soap.checked(200, envelope("<tds:X/>"))):
        with pytest.raises(CameraBadXml):
            event.read(answer, NOW)
