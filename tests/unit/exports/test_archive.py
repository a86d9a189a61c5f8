import struct
import zipfile
import zlib
from datetime import datetime
from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st

from edge.exports.archive import layout, size_of, slices
from edge.exports.job import Piece

AT = datetime(2026, 11, 22, 9, 2, 4)  # noqa: DTZ001 - a zip's times are local
CONTENT = {"gate_1.mp4": b"video" * 1000, "empty": b"", "manifest.json": b"{}"}


def piece(name: str, data: bytes) -> Piece:
    return Piece(name=name, size_bytes=len(data), sha256="", crc32=zlib.crc32(data))


PIECES = [piece(name, data) for name, data in CONTENT.items()]


def read(start: int, end: int) -> bytes:
    runs = layout(PIECES, AT)
    return b"".join(
        CONTENT[each.name][each.offset : each.offset + each.size_bytes] if each.name else each.data
        for each in slices(runs, start, end)
    )


def test_a_zip_reader_finds_every_file_whole(tmp_path):
    whole = read(0, size_of(layout(PIECES, AT)))
    with zipfile.ZipFile(BytesIO(whole)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == CONTENT
        assert archive.infolist()[0].date_time == (2026, 11, 22, 9, 2, 4)
    assert len(whole) == size_of(layout(PIECES, AT))


@given(st.data())
def test_any_range_is_that_part_of_the_whole(data):
    size = size_of(layout(PIECES, AT))
    start = data.draw(st.integers(0, size))
    end = data.draw(st.integers(start, size))
    assert read(start, end) == read(0, size)[start:end]


def test_files_beyond_4_gib_are_found_by_their_long_places():
    large = [Piece(name=f"{n}.mp4", size_bytes=3_500_000_000, sha256="", crc32=0) for n in range(3)]
    runs = layout(large, AT)

    class Sparse(BytesIO):
        """Zeros, but for what the layout says."""

        def __init__(self) -> None:
            super().__init__()
            self.at = 0

        def seek(self, offset: int, whence: int = 0) -> int:
            self.at = {0: 0, 1: self.at, 2: size_of(runs)}[whence] + offset
            return self.at

        def tell(self) -> int:
            return self.at

        def read(self, count: int | None = -1) -> bytes:
            end = size_of(runs) if count is None or count < 0 else self.at + count
            found = b"".join(
                bytes(each.size_bytes) if each.name else each.data
                for each in slices(runs, self.at, end)
            )
            self.at += len(found)
            return found

    with zipfile.ZipFile(Sparse()) as archive:
        assert [info.file_size for info in archive.infolist()] == [3_500_000_000] * 3
        last = archive.infolist()[2]
        assert last.header_offset > 2**32
        with archive.open(last) as file:
            assert file.read(10) == bytes(10)


def test_a_time_before_zips_is_their_first_year():
    (run, *_) = layout(PIECES, AT.replace(year=1970))
    assert run.data is not None
    assert struct.unpack_from("<H", run.data, 12)[0] >> 9 == 0
