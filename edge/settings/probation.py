"""Whether a version of the settings holds: until it has, the box goes back to the one before."""

import logging
from dataclasses import replace

from edge.errors import StorageError
from edge.settings.effective import ConfigFile, Effective, chosen, effective
from edge.settings.store import SettingsStore, Shelf, Standing
from edge.settings.trial import Trial
from edge.settings.version import Version

log = logging.getLogger(__name__)

_BOX = "box"


class Probation:
    """Notes on the disk which version is tried, and which one has proved itself.

    ::

        accepted ── begin ──▶ accepted
        newer    ── begin ──▶ tried ── accept (it holds) ──▶ accepted
                              tried ── leave (ends in order) ──▶ newer, to be tried again
                              tried ── the process died, then begin ──▶ undone
                              tried ── undo (it can't be started, or does not hold) ──▶ undone
        undone: what had proved itself, as a new version that says why

    Of a version with terms each start counts, however the one before ended, and the process may
    die of it more than once (edge.settings.trial, which decides all of this).

    A disk that refuses the notes keeps nothing from running: what is not noted is tried again.
    """

    def __init__(self, file: ConfigFile, store: SettingsStore) -> None:
        self._file = file
        self._store = store

    def begin(self) -> Effective:
        """Return what a starting box goes by, with what ended the last one's process undone."""
        return self._begin(died=True)

    def take(self) -> Effective:
        """Return what a running box is to go by now."""
        return self._begin(died=False)

    def _begin(self, *, died: bool) -> Effective:
        found = effective(self._file, self._store)
        if found.seen == 0:
            return found  # nothing was ever changed, and nothing is written
        try:
            with self._store.changing():
                found = effective(self._file, self._store)
                standing, number = self._store.standing(), found.version.number
                if number <= standing.accepted:
                    return found
                starts = standing.starts if died and standing.tried == number else 0
                trial = Trial(standing.accepted, number, found.version.terms, starts).start()
                if trial.ending is not None:
                    self._undo(found.version, standing, trial.why)
                    return effective(self._file, self._store)
                noted = Standing(accepted=trial.accepted, tried=number, starts=trial.starts)
                self._store.stand(noted)
        except StorageError as error:
            log.warning("settings.not_noted", extra={"error": str(error)})
        return found

    def accept(self, version: Version) -> None:
        """Note that a version holds."""
        self._note(Standing(accepted=version.number))

    def leave(self) -> None:
        """Note that the box ends in order: nothing speaks against what it tried."""
        standing = self._standing()
        if standing.tried is None or effective(self._file, self._store).version.terms is not None:
            return
        self._note(Standing(accepted=standing.accepted))

    def is_tried(self, version: Version) -> bool:
        """Return whether a version has still to prove itself."""
        return self.trial(version) is not None

    def trial(self, version: Version) -> Trial | None:
        """Return the trial of a version that has still to prove itself, else None."""
        standing = self._standing()
        if version.number <= standing.accepted:
            return None
        return Trial(standing.accepted, version.number, version.terms, standing.starts)

    def undo(self, version: Version, why: str) -> Effective:
        """Go back to what had proved itself, and return it.

        Where the disk refuses that, it counts for this process all the same.
        """
        standing = self._standing()
        try:
            with self._store.changing():
                self._undo(version, standing, why)
            return effective(self._file, self._store)
        except StorageError as error:
            log.error("settings.not_undone", extra={"error": str(error)})  # noqa: TRY400 - a disk
        without = self._sound_before(version, standing)
        found = chosen(self._file, self._store.folder, without)
        return replace(found, trouble=f"version {version.number} can't be used: {why}")

    def _sound_before(self, version: Version, standing: Standing) -> Shelf:
        """Return what is on the shelf without a version and what came between."""
        try:
            shelf = self._store.read()
        except StorageError:
            return Shelf((Version(),), {}, version.number)
        before = _before(version, standing, shelf)
        older = tuple(each for each in shelf.versions if each.number <= before.number)
        return replace(shelf, versions=older, damaged={})

    def _undo(self, version: Version, standing: Standing, why: str) -> None:
        """Write what had proved itself as the newest version; within the store's turn."""
        before = _before(version, standing, self._store.read())
        reason = f"version {version.number} was undone: {why}"
        undone = self._store.write(before.layer, actor=_BOX, reason=reason, undoes=version.number)
        self._store.stand(Standing(accepted=undone.number))
        extra = {"version": version.number, "now": undone.number, "why": why}
        log.error("settings.undone", extra=extra)

    def _standing(self) -> Standing:
        try:
            return self._store.standing()
        except StorageError:
            return Standing()

    def _note(self, standing: Standing) -> None:
        try:
            with self._store.changing():
                self._store.stand(standing)
        except StorageError as error:
            log.warning("settings.not_noted", extra={"error": str(error)})


def _before(version: Version, standing: Standing, shelf: Shelf) -> Version:
    """Return what had proved itself before a version, else the newest sound one below it."""
    accepted = shelf.find(standing.accepted)
    if accepted is not None and accepted.number < version.number:
        return accepted
    return next(each for each in shelf.versions if each.number < version.number)
