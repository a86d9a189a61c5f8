"""Reading back a file that was never closed."""

import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from edge.errors import MediaError
from edge.media.boxes import Fragment, Head, fragments, holds_nal_units, read_head
from edge.media.sample import TICKS_PER_S
from edge.recording.origin import Origin
from edge.recording.segment import ClosedFile, KeyPoint

#: Ours are of a second, or of two pictures of a very slow camera: more is a damaged length.
_MAX_FRAGMENT_90K = 60 * TICKS_PER_S


def salvage(path: Path) -> ClosedFile:
    """Cut a file after its last sound fragment, sync it, and return what it then is.

    Sound means complete, continuous with the one before, of a length that can be, and made of whole
    NAL units. Raises MediaError where not one is, and OSError.
    """
    with path.open("r+b") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        head = read_head(file, size_bytes)
        origin = Origin.decode(head.note)
        sound = _sound(file, head, size_bytes)
        if not sound:
            raise MediaError("not one complete fragment")
        size_bytes = sound[-1].offset + sound[-1].size_bytes
        file.truncate(size_bytes)
        os.fsync(file.fileno())
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    start_90k, duration_90k = sound[0].dts_90k, sound[-1].end_90k - sound[0].dts_90k
    start = _at(origin.run_started, start_90k)
    end = _at(origin.run_started, start_90k + duration_90k)
    parameters = head.parameters
    return ClosedFile(
        camera_id=origin.camera_id,
        stream=origin.stream,
        run_id=origin.run_id,
        path=path,
        start=start,
        end=end,
        start_dts_90k=start_90k,
        duration_90k=duration_90k,
        size_bytes=size_bytes,
        init_bytes=head.init_bytes,
        codec=parameters.codec,
        mime_codec=parameters.mime_codec,
        width=parameters.width,
        height=parameters.height,
        starts_key=sound[0].starts_key,
        wall_us=duration_90k * 1_000_000 // TICKS_PER_S,
        sha256=digest,
        recovered=True,
        keys=tuple(
            KeyPoint(each.dts_90k - start_90k, each.offset) for each in sound if each.starts_key
        ),
    )


def _sound(file: BinaryIO, head: Head, size_bytes: int) -> list[Fragment]:
    sound: list[Fragment] = []
    for each in fragments(file, head.init_bytes, size_bytes):
        if sound and each.dts_90k != sound[-1].end_90k:
            break
        if not 0 < each.end_90k - each.dts_90k <= _MAX_FRAGMENT_90K:
            break
        if not all(_whole(file, sample.offset, sample.size_bytes) for sample in each.samples):
            break
        sound.append(each)
    return sound


def _whole(file: BinaryIO, offset: int, size_bytes: int) -> bool:
    file.seek(offset)
    return holds_nal_units(file.read(size_bytes))


def _at(run_started: datetime, dts_90k: int) -> datetime:
    try:
        return run_started + timedelta(microseconds=dts_90k * 1_000_000 // TICKS_PER_S)
    except OverflowError as error:
        raise MediaError(f"a media time of {dts_90k} ticks") from error
