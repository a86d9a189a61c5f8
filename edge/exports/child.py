"""The process that makes an export: it reads, copies or encodes, and says how far it is.

Started by edge.exports.maker as ``python -m edge.exports.child --parent N``; the order comes on
standard input, progress and the answer go to standard output, a line of JSON each. Everything else
on the box comes first: it runs at the lowest priority of processor and disk.
"""

import argparse
import ctypes
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.errors import MediaError
from edge.exports.encoding import Encoder, Progress, Window
from edge.exports.film import Film
from edge.exports.job import Failure, Kind, PartSaid
from edge.exports.looks import Blocks, Look, Mark
from edge.exports.order import (
    MAX_PARTS,
    Lost,
    Made,
    MadePart,
    Order,
    Used,
    most_bits_per_s,
    read_until,
)
from edge.exports.parts import Part, parts
from edge.exports.reading import UnreadableError, lost_of, opened, poured
from edge.exports.room import is_full
from edge.media.sample import TICKS_PER_S, CodecParameters
from edge.modest import come_last
from edge.orphan import die_with_parent

#: Beginning anew costs all that was made: a disk that refuses more than so many files is worn out.
MOST_LEFT_OUT = 10

_NICE = 19
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}  # <asm/unistd.h>
_IOPRIO_WHO_PROCESS = 1
_IOPRIO_IDLE = 3 << 13


class Maker:
    """Carries out one order; ``tell`` is given the number of recorded bytes that are done."""

    def __init__(self, order: Order, tell: Callable[[int], None]) -> None:
        self._order = order
        self._tell = tell
        self._progress = Progress(tell)
        self._left_out: dict[str, Lost] = {}
        self._made: list[MadePart] = []
        self._used: list[Used] = []
        self._lost: list[Lost] = []
        self._looks: list[Look] = []
        self._font = ""
        if order.kind is Kind.MARKED:
            mark = Mark(order.lines, order.plain_lines, ZoneInfo(order.zone))
            self._looks, self._font = [mark], mark.font
        elif order.kind is Kind.BLURRED:
            self._looks = [Blocks(order.regions)]

    def make(self) -> Made:
        """Return what was made, or why it was not.

        A recorded file whose bytes turn out unreadable is left out, and all is made anew without
        it: what was made until then may reach into it.
        """
        while True:
            try:
                return self._made_once()
            except UnreadableError as error:
                if len(self._left_out) == MOST_LEFT_OUT:
                    return self._failed(Failure.SOURCE_CHANGED, f"{error.source.path}: {error}")
                self._begin_anew(error)

    def _begin_anew(self, error: UnreadableError) -> None:
        self._left_out[error.source.path] = lost_of(error.source, str(error))
        for made in self._made:
            (Path(self._order.folder) / made.file.name).unlink(missing_ok=True)
        self._made, self._used, self._lost = [], [], [*self._left_out.values()]
        self._progress = Progress(self._tell)

    def _made_once(self) -> Made:
        """Make all. Raises UnreadableError."""
        try:
            for part in self._parts():
                if len(self._made) == MAX_PARTS:
                    return self._failed(Failure.TOO_MANY_PARTS)
                self._make(part)
        except OSError as error:
            return self._failed(Failure.NO_ROOM if is_full(error) else Failure.DISK, str(error))
        except MediaError as error:
            return self._failed(Failure.CRASHED, str(error))
        if not self._made:
            return self._failed(Failure.NO_FOOTAGE)
        return Made(
            parts=tuple(self._made),
            used=tuple(self._used),
            lost=tuple(self._lost),
            font=self._font,
        )

    def _failed(self, failure: Failure, detail: str = "") -> Made:
        return Made(lost=tuple(self._lost), failure=failure, detail=detail)

    def _parts(self) -> Iterator[Part]:
        order = self._order
        readable = [each for each in order.sources if each.path not in self._left_out]
        files = opened(readable, self._lost.append)
        return parts(files, order.start, read_until(order.kind, order.end), self._is_full)

    def _is_full(self, parameters: CodecParameters, duration_90k: int, size_bytes: int) -> bool:
        if self._order.kind is Kind.COPY:
            return size_bytes >= self._order.part_bytes
        rate = most_bits_per_s(parameters.width, parameters.height)
        return duration_90k * rate >= self._order.part_bytes * 8 * TICKS_PER_S

    def _make(self, part: Part) -> None:
        path = Path(self._order.folder) / f"{self._order.stem}_{len(self._made) + 1}.mp4"
        if self._order.kind is Kind.COPY:
            self._made.append(self._copied(part, path))
            return
        window = Window(self._order.start, self._order.end)
        encoder = Encoder(part, window, self._looks)
        made = encoder.make(path, progress=self._progress)
        self._used += encoder.used
        if made is not None:
            self._made.append(made)

    def _copied(self, part: Part, path: Path) -> MadePart:
        with Film.copied(path, part.parameters, part.table, part.start) as film:
            for take in part.takes:
                self._used.append(poured(take, film.write))
                self._progress.add(take.source.size_bytes)
            file = film.finish()
        said = PartSaid(
            name=path.name,
            start=part.start,
            end=part.end,
            codec=part.parameters.codec,
            width=part.parameters.width,
            height=part.parameters.height,
        )
        return MadePart(said=said, file=file, shown=part.shown)


def yield_to_others() -> None:
    """Take the lowest priority there is, of the processor and, where the kernel can, the disk."""
    come_last(_NICE)
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None:
        libc = ctypes.CDLL(None, use_errno=True)
        libc.syscall(number, _IOPRIO_WHO_PROCESS, 0, _IOPRIO_IDLE)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Carry out the order on standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    die_with_parent(parser.parse_args().parent)
    yield_to_others()
    order = Order.model_validate_json(sys.stdin.buffer.read())
    made = Maker(order, lambda done: _say(f"{done}")).make()
    _say(made.model_dump_json())


if __name__ == "__main__":
    main()
