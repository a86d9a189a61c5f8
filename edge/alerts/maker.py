"""Making the file of a picture or clip."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from edge.alerts.piece import Piece
from edge.config import EdgeConfig
from edge.errors import EdgeError, NotFoundError
from edge.ports import Clipper, Snapshotter
from edge.recording.fitting import Fit
from protocol.messages import EvidenceKind
from protocol.relay import StreamName


class Maker:
    """Makes files of pieces, no longer than they may be.

    A clip is of the sub-stream where that is recorded and ``evidence.clip_from`` does not say
    otherwise: a dying link carries 30 s of it, and none of the main stream's. Where the
    sub-stream's footage does not show the alert's start, it is of the main stream all the same. So
    is what a person asked for.
    """

    def __init__(self, config: EdgeConfig, snapshotter: Snapshotter, clipper: Clipper) -> None:
        self._snapshotter = snapshotter
        self._clipper = clipper
        self._sub_bytes = config.evidence.clip_max_bytes
        wants_sub = config.evidence.clip_from is StreamName.SUB
        self._with_sub = {camera.id for camera in config.cameras if camera.record_sub and wants_sub}
        #: What the centre takes, once it is known.
        self.limit_bytes: int | None = None

    def make(self, piece: Piece, target: Path) -> Piece:
        """Write a piece's file; return the piece with its true bounds.

        Raises what the ports raise, and OSError; what is at ``target`` then is no piece.
        """
        target.unlink(missing_ok=True)
        if piece.kind is EvidenceKind.CLIP:
            return self._clip(piece, target)
        picture, taken_at = self._snapshotter.picture(piece.camera_id, piece.start)
        target.write_bytes(picture)
        return replace(piece, start=taken_at, end=taken_at)

    def is_too_long(self, size_bytes: int) -> bool:
        """Say whether the centre would not take a file of this length."""
        return self.limit_bytes is not None and size_bytes > self.limit_bytes

    def _clip(self, piece: Piece, target: Path) -> Piece:
        trouble: EdgeError = NotFoundError("the recorded video does not show the alert's start")
        for stream, max_bytes in self._streams(piece):
            fit = None if max_bytes is None else Fit(max_bytes, piece.began)
            try:
                start, end = self._clipper.clip(
                    piece.camera_id, piece.start, piece.end, target, stream, fit
                )
            except EdgeError as error:
                trouble = error
                continue
            if stream is StreamName.MAIN or start <= piece.began < end:
                return replace(piece, start=start, end=end)
            target.unlink(missing_ok=True)
        raise trouble

    def _streams(self, piece: Piece) -> Iterator[tuple[StreamName, int | None]]:
        """Yield what a clip may be of, best first, and how long it may be then."""
        if piece.camera_id in self._with_sub and not piece.is_asked:
            limits = [self._sub_bytes, self.limit_bytes or self._sub_bytes]
            yield StreamName.SUB, min(limits)
        yield StreamName.MAIN, self.limit_bytes
