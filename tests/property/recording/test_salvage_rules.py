"""A damaged disk may have put anything into a file of ours."""

import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.db.instant import to_us
from edge.errors import MediaError
from edge.recording.salvage import salvage
from tests.support.packets import packets
from tests.support.recordings import Archive, ended, recorded, timed

MOST_SQLITE_TAKES = 2**63 - 1
EXTREMES = [0, 1, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1]


@cache
def whole() -> bytes:
    """Return a file of two fragments."""
    with tempfile.TemporaryDirectory() as folder, closing(Archive(Path(folder))) as archive:
        recorded(archive, ended(timed(packets(frames=40, gop=20))), segment_s=10)
        return archive.files()[0].read_bytes()


@st.composite
def damage(draw: st.DrawFn) -> tuple[int, int, bytes]:
    """Draw where it begins, how many bytes it takes, and what stands there then."""
    kinds = st.sampled_from([b"ftyp", b"uuid", b"moov", b"avcC", b"moof", b"trun", b"mdat"])
    kind = draw(st.just(b"tfdt") | kinds | st.just(b""))
    if kind:
        find = draw(st.sampled_from([bytes.find, bytes.rfind]))
        place = find(whole(), kind) + draw(st.sampled_from([8, -4, 0, 4, 12, 16, 20, 24]))
    else:
        place = draw(st.integers(0, len(whole())))
    if draw(st.booleans()):
        length = draw(st.sampled_from([8, 4]))
        number = draw(st.sampled_from(EXTREMES)) % 256**length
        return place, length, number.to_bytes(length)
    return place, draw(st.integers(0, 8)), draw(st.binary(max_size=12))


@settings(max_examples=300, deadline=None)
@given(st.lists(damage(), max_size=4), st.floats(0, 4))
def test_a_damaged_file_is_refused_or_fit_for_the_index(damages, share):
    data = bytearray(whole())
    for place, length, new in damages:
        data[place : place + length] = new
    del data[int(len(data) * share) :]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "damaged.mp4"
        path.write_bytes(data)
        try:
            file = salvage(path)
        except MediaError:
            return
        assert path.stat().st_size == file.size_bytes
    assert 0 < file.duration_90k <= 2 * 60 * 90_000
    assert 0 <= file.start_dts_90k <= MOST_SQLITE_TAKES
    assert to_us(file.start) < to_us(file.end) <= MOST_SQLITE_TAKES
    assert file.camera_id.encode()
    assert file.run_id.encode()
