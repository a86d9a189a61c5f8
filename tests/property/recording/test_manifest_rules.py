import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.recording.manifest import ORIGIN, Entry, Removal

TIMES = st.integers(min_value=0, max_value=4_000_000_000_000_000)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
REMOVALS = st.builds(
    Removal,
    camera_id=TEXTS,
    day=TEXTS,
    reason=st.sampled_from(["age", "quota"]),
    path=TEXTS,
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    start_us=TIMES,
    end_us=TIMES,
    size_bytes=TIMES,
    at_us=TIMES,
)


@given(REMOVALS)
def test_a_line_is_one_line_that_says_all_of_it(removal):
    assert "\n" not in removal.line
    assert Removal.parse(removal.line) == removal


@given(st.lists(REMOVALS, min_size=1, max_size=8))
def test_the_hash_is_what_anybody_computes_from_the_lines(removals):
    expected = ORIGIN
    for removal in removals:
        expected = hashlib.sha256(f"{expected}{removal.line}\n".encode()).hexdigest()
    entry = Entry.of(removals)
    assert entry.manifest == expected
    assert entry.segments == len(removals)
    assert entry.size_bytes == sum(each.size_bytes for each in removals)
    assert entry.first_us == min(each.start_us for each in removals)
    assert entry.last_us == max(each.end_us for each in removals)


@given(st.lists(REMOVALS, min_size=2, max_size=6, unique=True), st.data())
def test_to_leave_out_swap_or_change_a_file_changes_the_hash(removals, data):
    honest = Entry.of(removals).manifest
    at = data.draw(st.integers(0, len(removals) - 1))
    assert Entry.of([*removals[:at], *removals[at + 1 :]]).manifest != honest
    assert Entry.of([*removals[at:], *removals[:at]]).manifest != honest or at == 0
    fields = json.loads(removals[at].line)
    forged = Removal(*[*fields[:7], fields[7] + 1, fields[8]])
    assert Entry.of([*removals[:at], forged, *removals[at + 1 :]]).manifest != honest


def test_of_nothing_there_is_no_row():
    assert Entry.of([]) is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[]",
        '["gate","2026-11-22","age","p","h",1,2,3]',
        '["gate","2026-11-22","age","p","h",1,2,3,true]',
        '["gate", "2026-11-22","age","p","h",1,2,3,4]',
    ],
)
def test_what_is_not_a_canonical_line_is_refused(line):
    with pytest.raises(ValueError, match=r"."):
        Removal.parse(line)
