"""The last step of an export: the paper that goes with it."""

import hashlib
import zlib
from datetime import datetime

from edge import __version__
from edge.exports.job import Job, Piece
from edge.exports.manifest import MANIFEST, SUMS, manifest, sums
from edge.exports.order import Made
from edge.exports.ordering import Village
from edge.exports.shelf import Shelf
from edge.recording.index import RecordingIndex


def finished(
    job: Job, made: Made, village: Village, shelf: Shelf, index: RecordingIndex, at: datetime
) -> Job:
    """Write manifest and hashes beside the videos, and return the job with its result.

    Raises OSError, and StorageError where the index does not answer.
    """
    ask = job.ask
    text = manifest(
        job,
        made,
        index.gaps(ask.camera_id, ask.stream, ask.start, ask.end),
        root=index.root,
        box={"id": village.box_id, "name": village.box_name, "time_zone": village.zone},
        camera={"id": ask.camera_id, "name": village.camera_name(ask.camera_id)},
        software=f"tanshao {__version__}",
        created_at=at,
    )
    hashed = [*(part.file for part in made.parts), _put(shelf, job, MANIFEST, text)]
    files = (*hashed, _put(shelf, job, SUMS, sums(hashed)))
    return job.done(at, files, tuple(part.said for part in made.parts))


def _put(shelf: Shelf, job: Job, name: str, data: bytes) -> Piece:
    shelf.write(job.id, name, data)
    return Piece(
        name=name,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        crc32=zlib.crc32(data),
    )
