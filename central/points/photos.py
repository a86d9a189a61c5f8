"""Photos of notice signs, where evidence lies too: on the disk or on S3 (points I5)."""

import hashlib
import logging
import os
import tempfile
from pathlib import Path

from central.db.engine import Database
from central.db.models import Point, SignPhoto
from central.errors import EvidenceAwayError, NotFoundError
from central.evidence.span import Span
from central.evidence.storage import Content, Storages
from central.points.picture import Picture
from protocol.clock import Clock
from protocol.ids import uuid7

log = logging.getLogger(__name__)

_SUFFIXES = {"image/jpeg": ".jpg", "image/png": ".png"}


class SignPhotos:
    """Keeps the photos; ``work`` is a folder beside the evidence on the same disk."""

    def __init__(self, database: Database, clock: Clock, storages: Storages, work: Path) -> None:
        self._database = database
        self._clock = clock
        self._storages = storages
        self._work = work

    def keep(self, uid: str, picture: Picture, actor_id: str) -> SignPhoto:
        """Store a picture durably; return its row, which nobody has entered yet.

        Raises NotFoundError where there is no such point, EvidenceAwayError.
        """
        with self._database.read() as session:
            if session.get(Point, uid) is None:
                raise NotFoundError(f"there is no point {uid}")
        storage = self._storages.newest
        storage.check()
        now = self._clock.now()
        photo_id = uuid7(now)
        box_id, _, camera_id = uid.partition(".")
        key = f"{box_id}/signs/{camera_id}-{photo_id}{_SUFFIXES[picture.media_type]}"
        sha256 = hashlib.sha256(picture.data).hexdigest()
        try:
            self._work.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._work, prefix="sign-") as file:
                file.write(picture.data)
                file.flush()
                os.fsync(file.fileno())
                storage.put(key, Path(file.name), sha256)
        except OSError as error:
            raise EvidenceAwayError(f"evidence: {error.strerror}") from error
        return SignPhoto(
            id=photo_id,
            uid=uid,
            place=self._storages.target,
            path=key,
            media_type=picture.media_type,
            width=picture.width,
            height=picture.height,
            size_bytes=len(picture.data),
            sha256=sha256,
            stored_at=now,
            stored_by=actor_id,
        )

    def find(self, uid: str) -> SignPhoto:
        """Return the photo of a point's sign. Raises NotFoundError where there is none."""
        with self._database.read() as session:
            point = session.get(Point, uid)
            if point is None or point.photo_id is None:
                raise NotFoundError(f"there is no photo of the sign at {uid}")
            return session.get_one(SignPhoto, point.photo_id)

    def content(self, photo: SignPhoto) -> Content:
        """Return its bytes, for the caller to close. Raises NotFoundError, EvidenceAwayError."""
        span = Span(0, photo.size_bytes - 1)
        try:
            return self._storages.at(photo.place).open(photo.path, span)
        except NotFoundError:  # it may have been moved between the two
            with self._database.read() as session:
                moved = session.get_one(SignPhoto, photo.id)
            if moved.place is photo.place:
                log.exception("evidence.missing", extra={"path": photo.path, "place": photo.place})
                raise
            return self._storages.at(moved.place).open(moved.path, span)
