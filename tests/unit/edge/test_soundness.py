from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.soundness import is_sound

ID = str(UUID(int=7))
SOUND: dict[str, dict[str, Any]] = {
    "meta": {"key": "recording_alive_us", "value": "1795309323456789"},
    "hold": {"camera_id": "gate", "start_us": 1, "end_us": 2, "reason": "r", "until_us": 3},
    "hold_event": {
        "hold_id": 1,
        "at_us": 5,
        "act": "placed",
        "actor": "Li",
        "camera_id": "gate",
        "start_us": 1,
        "end_us": 2,
        "placed_by": "Li",
        "placed_us": 5,
        "until_us": 9,
        "review_on": "2026-12-01",
    },
    "doomed": {"path": f"gate/main/20261122/010203-{'0' * 32}.mp4", "size_bytes": 5},
    "gap": {
        "camera_id": "gate",
        "stream": "main",
        "start_us": 1,
        "end_us": None,
        "reason": "network",
    },
    "deletion": {
        "camera_id": "gate",
        "day": "2026-11-22",
        "reason": "age",
        "manifest": "0" * 64,
        "first_us": 1,
    },
    "alert": {
        "alert_id": ID,
        "camera_id": "gate",
        "kind": "gathering",
        "level": "urgent",
        "mode": "live",
        "started_us": 1,
        "count": 1,
        "threshold": 1,
        "peak": 1,
    },
    "crowd": {"camera_id": "gate", "start_us": 900_000_000, "peak": 3, "minutes": b"\0" * 30},
    "mask": {
        "camera_id": "square",
        "rule_id": "crowd",
        "exclude": "[[[0,0],[1,0],[1,1]]]",
        "since_us": 1,
    },
    "evidence": {"alert_id": ID, "kind": "clip", "path": f"{ID}.mp4", "sha256": "a" * 64},
    "another": {"anything": b"\xff", "at_us": 0},
}

ANYTHING = st.none() | st.integers() | st.floats() | st.text() | st.binary()


@pytest.mark.parametrize("table", SOUND)
def test_what_a_box_writes_is_believed(table):
    assert is_sound(table, SOUND[table])


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("meta", {"value": "soon"}),
        ("meta", {"value": "-1"}),
        ("meta", {"key": "schlüssel"}),
        ("meta", {"key": "deletion_lines", "value": "0 7"}),
        ("meta", {"key": "deletion_lines", "value": "1"}),
        ("meta", {"key": "recordings_disk", "value": "a\0b"}),
        ("hold", {"until_us": 2**62}),
        ("alert", {"curve": "{"}),
        ("alert", {"curve": '{"step_s": 0, "points": []}'}),
        ("crowd", {"start_us": 900_000_001}),
        ("crowd", {"minutes": b"\0" * 29}),
        ("crowd", {"minutes": None}),
        ("crowd", {"peak": -1}),
        ("hold", {"until_us": "3"}),
        ("hold", {"until_us": 3.0}),
        ("hold", {"start_us": 2}),
        ("hold", {"lead_us": 0}),
        ("hold", {"lead_us": None}),
        ("hold", {"lead_us": 10**15}),
        ("hold", {"placed_by": "Li", "placed_us": 5, "review_on": None}),
        ("hold", {"placed_by": "Li", "placed_us": 5, "review_on": "2026-13-01"}),
        ("hold", {"placed_by": "Li", "placed_us": None, "review_on": "2026-12-01"}),
        ("hold_event", {"review_on": "soon"}),
        ("hold_event", {"camera_id": "../gate"}),
        ("hold_event", {"act": "plaged"}),
        ("hold_event", {"start_us": 2}),
        ("doomed", {"path": "../box.db"}),
        ("doomed", {"path": "/etc/passwd"}),
        ("doomed", {"path": f"../main/20261122/010203-{'0' * 32}.mp4"}),
        ("doomed", {"path": f"gate/main/20261122/010203-{'0' * 32}.mp4\n"}),
        ("doomed", {"size_bytes": -1}),
        ("gap", {"stream": "mail"}),
        ("gap", {"reason": "netwark"}),
        ("gap", {"end_us": 1}),
        ("deletion", {"manifest": "0"}),
        ("deletion", {"day": "2026-11-32"}),
        ("deletion", {"reason": "agf"}),
        ("deletion", {"first_us": -1}),
        ("deletion", {"day": "2026-11-2"}),
        ("alert", {"alert_id": "7"}),
        ("alert", {"kind": "fleme"}),
        ("alert", {"level": ""}),
        ("alert", {"mode": "life"}),
        ("alert", {"peak": -1}),
        ("mask", {"exclude": "[[[0,0],[1,0]]]"}),
        ("mask", {"exclude": "[[[0,0],[1,0],[1,2]]]"}),
        ("mask", {"exclude": "[[[0,0],[1,0]"}),
        ("mask", {"rule_id": "../crowd"}),
        ("evidence", {"kind": "video"}),
        ("evidence", {"path": f"../{ID}.mp4"}),
        ("evidence", {"path": f"{ID}/../../box.db"}),
        ("evidence", {"sha256": "A" * 64}),
    ],
)
def test_what_no_box_writes_is_not_believed(table, changes):
    assert not is_sound(table, SOUND[table] | changes)


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("meta", {"key": "deletion_lines", "value": "1 0"}),
        ("meta", {"key": "recordings_disk", "value": "0" * 32}),
        ("hold", {"placed_by": None, "placed_us": None, "review_on": None}),
        ("hold", {"lead_us": 90_000_000}),
        ("hold", {"lead_us": 3_700_000_000}),
        ("hold", {"placed_by": "local", "placed_us": 1, "review_on": "2026-12-01"}),
        ("gap", {"end_us": 2}),
        ("hold", {"placed_by": "Li", "placed_us": 5, "review_on": "2026-12-01"}),
        ("deletion", {"manifest": None}),
        ("evidence", {"path": None, "sha256": None}),
    ],
)
def test_other_things_that_a_box_writes_are_believed(table, changes):
    assert is_sound(table, SOUND[table] | changes)


@given(st.sampled_from(sorted(SOUND)), st.data())
def test_whatever_is_read_is_judged_at_once_and_without_an_error(table, data):
    row = dict(SOUND[table])
    for name in data.draw(st.sets(st.sampled_from(sorted(row)), min_size=1)):
        row[name] = data.draw(ANYTHING)
    assert is_sound(table, row) in (True, False)
