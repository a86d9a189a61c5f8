import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.previews.sheet import Preview, Sheet, slots

START = datetime(2026, 11, 22, 1, tzinfo=UTC)


@given(st.integers(1, 60), st.timedeltas(timedelta(seconds=1), timedelta(days=7)))
def test_slots_cover_the_stretch_without_a_seam(count, length):
    made = slots(START, START + length, count)
    assert len(made) == count
    assert (made[0].start, made[-1].end) == (START, START + length)
    assert all(a.end == b.start for a, b in pairwise(made))
    assert all(slot.start <= slot.middle <= slot.end for slot in made)


@given(st.lists(st.binary(min_size=1, max_size=50)), st.booleans())
def test_a_sheet_can_be_cut_up_by_its_first_line(jpegs, complete):
    pictures = [Preview(jpeg, START + timedelta(seconds=n)) for n, jpeg in enumerate(jpegs)]
    body = Sheet("gate", START, START + timedelta(hours=1), 160, pictures, complete).body()
    line, _, rest = body.partition(b"\n")
    index = json.loads(line)
    assert index["complete"] is complete
    cut = []
    for each in index["pictures"]:
        cut.append(rest[: each["bytes"]])
        rest = rest[each["bytes"] :]
    assert (cut, rest) == (jpegs, b"")
    assert index["from"] == "2026-11-22T01:00:00.000000Z"
