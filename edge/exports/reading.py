"""The recorded files an export is made of: opened for their samples, read once for their bytes."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from edge.errors import MediaError, StorageError
from edge.exports.order import Lost, Source, Used
from edge.exports.parts import Opened, Take, span_of
from edge.media.boxes import fragments, read_head

_BLOCK_BYTES = 1 << 20


class UnreadableError(StorageError):
    """The bytes of a recorded file can't be read, though its boxes could: ``source`` is which."""

    def __init__(self, source: Source, words: str) -> None:
        super().__init__(words)
        self.source = source


def lost_of(source: Source, words: str) -> Lost:
    """Return what is said of a recorded file that could not be read."""
    start, end = span_of(source)
    return Lost(path=source.path, start=start, end=end, error=words)


def opened(sources: Iterable[Source], lost: Callable[[Lost], None]) -> Iterator[Opened]:
    """Yield the files that can be read; ``lost`` is told of each that can't."""
    for source in sources:
        try:
            with Path(source.path).open("rb") as file:
                # Only the fragments' heads are read: what lies between is not wanted yet.
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
                head = read_head(file, source.size_bytes)
                found = tuple(
                    each.samples for each in fragments(file, head.init_bytes, source.size_bytes)
                )
        except (OSError, MediaError) as error:
            words = error.strerror if isinstance(error, OSError) else str(error)
            lost(lost_of(source, words or type(error).__name__))
            continue
        yield Opened(source, head.parameters, found)


def poured(take: Take, sink: Callable[[memoryview], None]) -> Used:
    """Give ``sink`` what is taken of a file, and return the hash of all of it that counts.

    Raises UnreadableError where the file is gone, shorter than it was, or the disk refuses to read
    it; OSError is the sink's.
    """
    source, digest = take.source, hashlib.sha256()
    ranges = iter([*take.ranges, (source.size_bytes, 0)])
    offset, size_bytes = next(ranges)
    position = 0
    for block in _blocks(source):
        digest.update(block)
        end = position + len(block)
        while offset < end:
            first, last = max(offset, position), min(offset + size_bytes, end)
            sink(memoryview(block)[first - position : last - position])
            if last < offset + size_bytes:
                break  # the rest is in the next block
            offset, size_bytes = next(ranges)
        position = end
    return _used(source, digest.hexdigest())


def _blocks(source: Source) -> Iterator[bytes]:
    """Yield the bytes of a recorded file that count. Raises UnreadableError."""
    left = source.size_bytes
    try:
        with Path(source.path).open("rb") as file:
            while left > 0:
                block = file.read(min(_BLOCK_BYTES, left))
                if not block:
                    raise UnreadableError(source, "shorter than it was")
                left -= len(block)
                yield block
            # It was read for this once: what others read again may stay in memory instead.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError as error:
        raise UnreadableError(source, error.strerror or repr(error)) from error


def _used(source: Source, sha256: str) -> Used:
    start, end = span_of(source)
    return Used(
        path=source.path,
        start=start,
        end=end,
        size_bytes=source.size_bytes,
        sha256=sha256,
        intact=None if source.sha256 is None else source.sha256 == sha256,
    )
