from datetime import UTC, datetime
from pathlib import PurePosixPath
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.errors import InvalidError, SpanError
from central.evidence.naming import is_key, key_of
from central.evidence.span import Span, span_of
from protocol.messages import EvidenceKind

MOMENTS = st.datetimes(timezones=st.just(UTC))
BOXES = st.from_regex(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]", fullmatch=True)
IDS = st.uuids(version=4)
KINDS = st.sampled_from(EvidenceKind)
WHOLE = (BOXES, MOMENTS, IDS, KINDS, IDS)


@given(*WHOLE)
def test_a_key_lies_two_folders_below_and_leads_nowhere_else(box, start, alert, kind, own):
    key = key_of(box, start, alert, kind, own)
    parts = PurePosixPath(key).parts
    assert len(parts) == 3
    assert parts[0] == box
    assert all(part.strip(".") for part in parts)
    assert not any(part.startswith(".") for part in parts)
    assert str(PurePosixPath(key)) == key
    assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789-/.")
    assert len(key) < 200
    assert is_key(key)


@pytest.mark.parametrize(
    "name", ["central.db", ".partial/x", "examples/a.jpg", "cun-1/2026-11/report.pdf", ""]
)
def test_what_others_named_is_no_key(name):
    assert not is_key(name)


@given(st.text() | st.sampled_from(["..", "a/../b", "/etc", ".partial", "a\n", "a b", "A-BOX"]))
def test_a_box_whose_name_is_none_has_no_key(name):
    try:
        key = key_of(name, datetime.now(UTC), UUID(int=1), EvidenceKind.CLIP, UUID(int=2))
    except InvalidError:
        return
    assert key.split("/")[0] == name
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@given(st.tuples(*WHOLE), st.tuples(*WHOLE))
def test_two_tries_never_share_a_key(one, other):
    assert (key_of(*one) == key_of(*other)) <= (one[4] == other[4])


@given(st.integers(1, 10**12), st.integers(0, 10**13), st.none() | st.integers(0, 10**13))
def test_a_range_gives_bytes_that_are_there_or_none(size, first, last):
    header = f"bytes={first}-{'' if last is None else last}"
    if last is not None and last < first:
        assert span_of(header, size) is None
    elif first >= size:
        with pytest.raises(SpanError):
            span_of(header, size)
    else:
        end = size - 1 if last is None else min(last, size - 1)
        span = span_of(header, size)
        assert span == Span(first, end)
        assert span.length == end - first + 1


@given(st.integers(1, 10**12), st.integers(1, 10**13))
def test_the_last_bytes_are_asked_for_by_their_number(size, last):
    span = span_of(f"bytes=-{last}", size)
    assert span == Span(max(0, size - last), size - 1)


def test_the_last_no_bytes_are_not_there():
    with pytest.raises(SpanError):
        span_of("bytes=-0", 10)


@pytest.mark.parametrize(
    "header", ["", "bytes=-", "bytes=0-1,4-5", "pages=1-2", "bytes=a-b", "0-1"]
)
def test_what_is_no_single_range_asks_for_the_whole(header):
    assert span_of(header, 10) is None


@given(st.text(), st.integers(1, 100))
def test_any_header_gives_a_span_inside_the_file_or_an_error_of_ours(header, size):
    try:
        span = span_of(f"bytes={header}", size)
    except SpanError:
        return
    assert span is None or 0 <= span.first <= span.last < size
