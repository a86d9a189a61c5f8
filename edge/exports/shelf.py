"""The folder of exports: a folder a job, its state in ``job.json``, its files beside that."""

import logging
import os
import shutil
from pathlib import Path

from pydantic import ValidationError

from edge.exports.job import Job

log = logging.getLogger(__name__)

_STATE = "job.json"


class Shelf:
    """Keeps jobs and their files on the disk. Methods raise OSError but where they say so.

    Whoever calls sees to it that no two threads write about one job at a time.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    @property
    def root(self) -> Path:
        """The folder, absolute."""
        return self._root

    def folder(self, job_id: str) -> Path:
        """Return where a job's files are."""
        return self._root / job_id

    def load(self) -> list[Job]:
        """Return the jobs, oldest first, and remove folders that hold none.

        One that the disk refuses to read stays as it is.
        """
        self.prepare()
        jobs = []
        for folder in sorted(self._root.iterdir()):
            try:
                text = (folder / _STATE).read_bytes()
                jobs.append(Job.model_validate_json(text))
            except (FileNotFoundError, ValidationError) as error:
                log.warning("exports.no_job", extra={"folder": folder.name, "error": repr(error)})
                self.remove(folder.name)
            except OSError as error:
                log.warning("exports.not_read", extra={"folder": folder.name, "error": repr(error)})
        return jobs

    def prepare(self) -> None:
        """See to it that the folder is there."""
        self._root.mkdir(parents=True, exist_ok=True)

    def keep(self, job: Job) -> None:
        """Write a job's state, durably: all of it or none."""
        folder = self.folder(job.id)
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{_STATE}.part"
        with unfinished.open("wb") as file:
            file.write(job.model_dump_json().encode())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(folder / _STATE)
        for changed in (folder, self._root):
            _settle(changed)

    def write(self, job_id: str, name: str, data: bytes) -> None:
        """Write a file of the result, durably."""
        with (self.folder(job_id) / name).open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def clear(self, job_id: str) -> None:
        """Remove what was made for a job, not the job. Never raises."""
        try:
            names = [each for each in self.folder(job_id).iterdir() if each.name != _STATE]
            for path in names:
                path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("exports.not_cleared", extra={"job": job_id, "error": repr(error)})

    def forget(self, job_id: str) -> None:
        """Remove the job, not its files: these go with the folder, at a start at the latest.

        Never raises.
        """
        try:
            (self.folder(job_id) / _STATE).unlink(missing_ok=True)
        except OSError as error:
            log.warning("exports.not_forgotten", extra={"job": job_id, "error": repr(error)})

    def remove(self, job_id: str) -> None:
        """Remove a job with all its files. Never raises; what stays is tried again at a start."""
        # Its state goes last: half of a result must not be found as a whole one.
        self.clear(job_id)
        shutil.rmtree(self.folder(job_id), ignore_errors=True)


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
