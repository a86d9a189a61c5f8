import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from village.testcam.clip import Coding, Unit
from village.testcam.session import MAX_PAYLOAD_BYTES, payloads


def joined(parts, coding):
    """Put payloads together again as RFC 6184 and RFC 7798 tell a receiver to."""
    nals, open_nal = [], b""
    for part in parts:
        if coding is Coding.H264 and part[0] & 0x1F == 28:
            if part[1] & 0x80:
                open_nal = bytes([part[0] & 0xE0 | part[1] & 0x1F])
            open_nal += part[2:]
            ended = part[1] & 0x40
        elif coding is Coding.H265 and part[0] >> 1 & 0x3F == 49:
            if part[2] & 0x80:
                open_nal = bytes([part[0] & 0x81 | (part[2] & 0x3F) << 1, part[1]])
            open_nal += part[3:]
            ended = part[2] & 0x40
        else:
            open_nal, ended = part, True
        if ended:
            nals.append(open_nal)
    return nals


@given(
    st.sampled_from([(Coding.H264, b"\x65"), (Coding.H265, b"\x26\x01")]),
    st.lists(st.integers(1, 5 * MAX_PAYLOAD_BYTES), min_size=1, max_size=4),
)
def test_a_receiver_puts_the_same_nals_together(kind, sizes):
    coding, head = kind
    unit = Unit(tuple(head + struct.pack("!I", n) + b"\x5a" * n for n in sizes), is_key=True)
    parts = list(payloads(unit, coding))
    assert max(map(len, parts)) <= MAX_PAYLOAD_BYTES
    assert joined(parts, coding) == list(unit.nals)


@pytest.mark.parametrize("size", [MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES + 1])
def test_only_what_does_not_fit_is_cut(size):
    nal = b"\x65" + b"\x01" * (size - 1)
    count = len(list(payloads(Unit((nal,), is_key=True), Coding.H264)))
    assert count == (1 if size == MAX_PAYLOAD_BYTES else 2)
