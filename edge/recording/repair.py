"""Putting right what a check found, at a box that does not run."""

import logging
from collections.abc import Iterable

from edge.errors import NotFoundError
from edge.media.sample import GapReason
from edge.recording.doomed import Doomed
from edge.recording.finding import Finding, Remedy
from edge.recording.index import RecordingIndex
from edge.recording.orphans import read_back
from edge.recording.segment import Gap

log = logging.getLogger(__name__)


class Repair:
    """Applies remedies one by one; what is done stays done where a later one fails."""

    def __init__(self, index: RecordingIndex, doomed: Doomed) -> None:
        self._index = index
        self._doomed = doomed

    def apply(self, findings: Iterable[Finding]) -> int:
        """Apply every remedy but a person's and return how many. Raises StorageError, OSError."""
        todo = [finding for finding in findings if finding.remedy is not Remedy.PERSON]
        for finding in todo:
            self._put_right(finding)
            log.info("fsck.repaired", extra={"finding": str(finding)})
        if any(finding.remedy in (Remedy.UNLINK, Remedy.DROP) for finding in todo):
            self._doomed.unlink_all()
        return len(todo)

    def _put_right(self, finding: Finding) -> None:
        match finding.remedy:
            case Remedy.DROP:
                self._drop(finding)
            case Remedy.FORGET:
                self._forget(finding)
            case Remedy.SALVAGE:
                self._forget(finding)
                self._read_back(finding)
            case Remedy.READ_BACK:
                self._read_back(finding)
            case Remedy.UNCOVER:
                self._uncover(finding)
            case Remedy.EXPLAIN:
                assert finding.stream is not None
                assert finding.start is not None
                self._index.add_gap(
                    Gap(*finding.stream, finding.start, finding.end, GapReason.DISK)
                )

    def _forget(self, finding: Finding) -> None:
        assert finding.segment_id is not None
        try:
            self._doomed.lose(self._index.segment(finding.segment_id))
        except NotFoundError:
            log.debug("fsck.row_gone", extra={"segment_id": finding.segment_id})

    def _drop(self, finding: Finding) -> None:
        assert finding.segment_id is not None
        try:
            self._index.forget(self._index.segment(finding.segment_id))
        except NotFoundError:
            log.debug("fsck.row_gone", extra={"segment_id": finding.segment_id})

    def _read_back(self, finding: Finding) -> None:
        assert finding.path is not None
        read_back(self._index, self._doomed, finding.path)

    def _uncover(self, finding: Finding) -> None:
        """Take every file that the gap lies on out of it."""
        assert finding.stream is not None
        assert finding.start is not None
        assert finding.end is not None
        for segment in self._index.segments(*finding.stream, finding.start, finding.end):
            self._index.uncover(segment)
