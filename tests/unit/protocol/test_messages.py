"""What the messages say in the words of others."""

from datetime import UTC, datetime

from protocol.messages import (
    AlertKind,
    AlertLevel,
    gb_code,
    gb_priority,
    source_of_box,
)

AT = datetime(2026, 11, 22, tzinfo=UTC)


def test_kinds_have_the_alarm_method_and_type_of_gb_t_28181():
    assert {kind: gb_code(kind) for kind in AlertKind} == {
        AlertKind.GATHERING: (5, 10),
        AlertKind.FLAME: (7, None),
        AlertKind.SMOKE: (7, None),
        AlertKind.CAMERA_LOST: (2, 1),
        AlertKind.DETECTOR_DOWN: (6, None),
        AlertKind.STORAGE: (6, 1),
        AlertKind.OUTBOX: (6, None),
        AlertKind.LENS_COVERED: (5, 11),
        AlertKind.PICTURE_BLURRED: (5, 11),
        AlertKind.CAMERA_MOVED: (5, 11),
        AlertKind.PICTURE_FROZEN: (5, 11),
        AlertKind.PICTURE_OVEREXPOSED: (5, 11),
        AlertKind.PICTURE_UNDEREXPOSED: (5, 11),
        AlertKind.CAMERA_CLOCK: (6, None),
    }


def test_the_gravest_level_has_priority_one():
    assert [gb_priority(level) for level in AlertLevel] == [3, 2, 1]


def test_a_source_names_its_box():
    assert source_of_box("laozhai-01") == "/boxes/laozhai-01"
