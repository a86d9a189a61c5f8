"""A command's arguments are a closed schema: nothing is done by half (protocol I20)."""

import pytest

from protocol.commands import (
    LONGEST_PATCH_BYTES,
    Arm,
    BadArgumentsError,
    Clip,
    Configure,
    Disarm,
    Mask,
    Snapshot,
    SyncClock,
    document_of,
    parse,
)

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


PATCH = """
[detect]
fps = 4.0

[[cameras]]
id = "square"
transport = "tcp"
rules = [{ id = "crowd", hold_s = 30 }]
"""


def test_other_settings_are_toml_of_the_configuration_s_own_form():
    read = parse("configure", {"patch": PATCH, "base_version": 3})
    assert isinstance(read, Configure)
    assert (read.confirm_within_s, read.check_only, read.undo) == (180, False, False)
    assert document_of(PATCH)["cameras"] == [
        {"id": "square", "transport": "tcp", "rules": [{"id": "crowd", "hold_s": 30}]}
    ]
    assert parse("configure", {"undo": True, "base_version": 3, "confirm_within_s": 600})


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "exactly one"),
        ({"patch": PATCH, "undo": True}, "exactly one"),
        ({"patch": "fps = 4"}, "'fps' must be a table"),
        ({"patch": "[detect"}, "not TOML"),
        ({"patch": "[detect]"}, "at least one setting"),
        ({"patch": ""}, "at least one setting"),
        ({"patch": "cameras = 3"}, "must be tables"),
        ({"patch": "[[cameras]]\nenabled = true"}, "an 'id' of its own"),
        ({"patch": '[[cameras]]\nid = "a"\n[[cameras]]\nid = "a"'}, "an 'id' of its own"),
        ({"patch": "[detect]\nfps = " + "[" * 6000}, "nested too deeply"),
        ({"patch": "[detect]\n" + "a." * 5000 + "b = 1"}, "nested too deeply"),
        (
            {"patch": "[detect]\nmodel = '" + "好" * LONGEST_PATCH_BYTES + "'"},
            "at most 16384 bytes",
        ),
        ({"patch": PATCH, "confirm_within_s": 59}, "confirm_within_s"),
        ({"patch": PATCH, "confirm_within_s": 601}, "confirm_within_s"),
        ({"patch": PATCH, "base_version": -1}, "base_version"),
        ({"patch": PATCH, "camera_id": "square"}, "camera_id: Extra"),
    ],
)
def test_what_can_be_no_settings_is_refused_before_it_is_given(arguments, named):
    with pytest.raises(BadArgumentsError, match=named):
        parse("configure", {"base_version": 0, **arguments})
