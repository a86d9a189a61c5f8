"""``python -m edge fsck``: is the archive what its invariants promise, and what would mend it."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.config import EdgeConfig
from edge.db.database import Database
from edge.errors import DamagedError, StorageError
from edge.recording.audit import Audit, Level
from edge.recording.claim import Claim
from edge.recording.doomed import Doomed
from edge.recording.finding import Finding, Remedy, is_too_much
from edge.recording.index import RecordingIndex
from edge.recording.label import Label
from edge.recording.repair import Repair
from protocol.clock import Clock


class Fsck:
    """Checks one box's archive; repairs only what a person has agreed to."""

    def __init__(
        self,
        config: EdgeConfig,
        recordings: Path,
        clock: Clock,
        say: Callable[[str], None],
        confirm: Callable[[str], bool],
    ) -> None:
        self._folder = config.box.data_dir
        self._recordings = recordings
        self._zone = ZoneInfo(config.box.time_zone)
        self._clock = clock
        self._say = say
        self._confirm = confirm

    def run(self, level: Level, *, repair: bool) -> int:
        """Check, say every finding and last the figures; 0 only where nothing is wrong at the end.

        A repair is shown first and asked for; it is refused while the box runs, and where it would
        forget more than half of the index. Raises StorageError and OSError.
        """
        path = self._folder / "box.db"
        if not path.exists():
            raise StorageError(f"{path}: there is no archive here")
        claim, is_running = Claim(self._folder), False
        try:
            claim.take()
        except StorageError:
            if repair:
                raise
            is_running = True
            self._say("the box runs: what it is writing or deleting just now may be told as wrong")
        with nullcontext() if is_running else closing(claim):
            try:
                with closing(Database(path)) as database:
                    return self._run(database, level, repair=repair, is_running=is_running)
            except DamagedError as error:
                raise DamagedError(
                    f"{error}; the box makes its database anew when it starts"
                ) from error

    def _run(self, database: Database, level: Level, *, repair: bool, is_running: bool) -> int:
        index = RecordingIndex(database, self._recordings)
        audit, found = self._check(database, index, level, is_running=is_running)
        repaired = 0
        if repair and any(each.remedy is not Remedy.PERSON for each in found):
            repaired = self._repair(database, index, found, audit.tally.rows)
        if repaired:
            self._say("checking again …")
            audit, found = self._check(database, index, level, is_running=False)
        figures = {
            "level": level.value,
            "segments": audit.tally.rows,
            "files": audit.tally.files,
            "read_bytes": audit.tally.read_bytes,
            "findings": len(found),
            "by_invariant": dict(sorted(Counter(each.invariant for each in found).items())),
            "repaired": repaired,
        }
        self._say(json.dumps(figures))
        return 1 if found else 0

    def _check(
        self, database: Database, index: RecordingIndex, level: Level, *, is_running: bool
    ) -> tuple[Audit, list[Finding]]:
        audit = Audit(database, index, self._clock.now(), is_running=is_running)
        found = []
        for finding in audit.findings(level):
            self._say(str(finding))
            found.append(finding)
        return audit, found

    def _repair(
        self, database: Database, index: RecordingIndex, found: list[Finding], rows: int
    ) -> int:
        todo = [each for each in found if each.remedy is not Remedy.PERSON]
        label = Label(database, index.root)
        if label.state().is_wrong:
            self._say(f"refused: it is not the disk that the index is about ({label.path})")
            return 0
        if is_too_much(todo, rows):
            self._say("refused: more than half of the index would go. Is it the right disk?")
            return 0
        self._say(f"{len(todo)} of {len(found)} would be repaired as said above")
        if not self._confirm("repair them? "):
            return 0
        doomed = Doomed(database, index.root, label, self._zone, self._clock)
        return Repair(index, doomed).apply(todo)
