"""A command's arguments are a closed schema: nothing is done by half (protocol I20)."""

import pytest

from protocol.commands import Arm, BadArgumentsError, Clip, Disarm, Mask, Snapshot, SyncClock, parse

START, END = "2026-11-22T01:00:00Z", "2026-11-22T01:02:00+00:00"


@pytest.mark.parametrize(
    ("kind", "arguments", "type_"),
    [
        ("snapshot", {}, Snapshot),
        ("clip", {"start": START, "end": END}, Clip),
        ("disarm", {"for_s": 60}, Disarm),
        ("disarm", {"for_s": 86_400, "rule_id": "crowd"}, Disarm),
        ("arm", {"rule_id": "crowd"}, Arm),
        ("mask", {"rule_id": "crowd", "exclude": [[[0, 0], [1, 0], [1, 1]]]}, Mask),
        ("mask", {"rule_id": "crowd", "exclude": []}, Mask),
        ("mask", {"rule_id": "crowd", "undo": True}, Mask),
    ],
)
def test_each_kind_is_read_as_its_own(kind, arguments, type_):
    read = parse(kind, {"camera_id": "square", **arguments})
    assert isinstance(read, type_)
    assert read.camera_id == "square"


@pytest.mark.parametrize(
    ("kind", "arguments", "named"),
    [
        ("reboot", {}, "kind: 'reboot'"),
        ("snapshot", {"at": START}, "at: Extra"),
        ("snapshot", {"camera_id": "../etc"}, "camera_id"),
        ("clip", {"start": START}, "end: Field required"),
        ("clip", {"start": END, "end": START}, "within 600 s"),
        ("clip", {"start": START, "end": START}, "within 600 s"),
        ("clip", {"start": START, "end": "2026-11-22T01:10:01Z"}, "within 600 s"),
        ("clip", {"start": "2026-11-22T01:00:00", "end": END}, "start"),
        ("disarm", {"for_s": 59}, "for_s"),
        ("disarm", {"for_s": 86_401}, "for_s"),
        ("disarm", {}, "for_s: Field required"),
        ("arm", {"for_s": 60}, "for_s: Extra"),
        ("mask", {"exclude": []}, "rule_id: Field required"),
        ("mask", {"rule_id": "crowd"}, "exactly one"),
        ("mask", {"rule_id": "crowd", "exclude": [], "undo": True}, "exactly one"),
        ("mask", {"rule_id": "crowd", "exclude": [[[0, 0], [1, 1]]]}, r"exclude\.0: Tuple"),
        ("mask", {"rule_id": "crowd", "exclude": [[[0, 0], [1, 1], [0, 1.1]]]}, "less than"),
        ("mask", {"rule_id": "crowd", "exclude": [[[0, 0]] * 11]}, "at most 10"),
        ("mask", {"rule_id": "crowd", "exclude": [[[0, 0]] * 3] * 9}, "at most 8"),
        ("arm", {"kind": "snapshot", "rule_id": "a b"}, "rule_id"),
    ],
)
def test_what_the_schema_does_not_have_is_refused_by_its_name(kind, arguments, named):
    with pytest.raises(BadArgumentsError, match=named):
        parse(kind, {"camera_id": "square", **arguments})


def test_a_command_to_the_box_itself_names_no_camera():
    assert parse("sync_clock", {}) == SyncClock()
    for argument in ("camera_id", "time"):
        with pytest.raises(BadArgumentsError, match=f"{argument}: Extra"):
            parse("sync_clock", {argument: START})
