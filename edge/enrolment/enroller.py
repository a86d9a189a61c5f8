"""Cameras found, examined, added and changed while the box runs."""

import threading
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from pydantic import SecretStr

from edge.config import CameraSection
from edge.enrolment import draft
from edge.enrolment.bulk import Bulk
from edge.enrolment.errand import Examining, Pulled, Searching, Space
from edge.enrolment.jobs import Jobs
from edge.enrolment.request import (
    MOST_CAMERAS,
    Asked,
    Refusal,
    Wanted,
    checked,
    is_at,
    of_camera,
)
from edge.enrolment.sheet import Row
from edge.enrolment.work import MOST_ERRANDS, Examination, Login, Search, Turns
from edge.errors import NotFoundError, RefusedError
from edge.ports import CameraBook
from protocol.clock import Clock


class Enroller:
    """Safe for threads; lives as long as the process, for what is asked after outlives a change.

    ``recorded`` are the cameras that there are recordings of; ``space`` says what is left on their
    disk. The owner closes it.
    """

    def __init__(
        self,
        book: CameraBook,
        recorded: Callable[[], AbstractSet[str]],
        space: Callable[[], Space],
        clock: Clock,
    ) -> None:
        self.book = book
        self._recorded = recorded
        self._space = space
        self._turns = Turns()
        self._searches: Jobs[Search] = Jobs("search", clock, 1)
        self._probes: Jobs[Examination] = Jobs("probe", clock, MOST_ERRANDS)
        self._bulks: Jobs[Bulk] = Jobs("bulk", clock, 1)
        # Between the choice of an id and the camera that has it nobody chooses another.
        self._changing = threading.Lock()

    # -- looking -----------------------------------------------------------------------------------

    def search(self, seconds: float) -> str:
        """Begin to look for cameras; return the search's id. Raises QueueFullError."""
        return self._searches.begin(Search(Searching(seconds=seconds), self._turns))

    def searched(self, search_id: str) -> Search:
        """Return a search. Raises NotFoundError."""
        return self._searches.job(search_id)

    def probe(self, asked: Asked) -> str:
        """Begin to examine a camera; return the examination's id.

        Raises RefusedError, NotFoundError for a camera that is not known, and QueueFullError.
        """
        return self._probes.begin(self.examination(asked))

    def examination(self, asked: Asked) -> Examination:
        """Return an examination that somebody begins. Raises RefusedError and NotFoundError."""
        camera = None
        if asked.camera_id is not None:
            camera = self.camera(asked.camera_id)
            asked = of_camera(asked, camera)
        asked = checked(asked)
        login, owner = Login(asked.username, asked.password or ""), None
        if camera is not None and asked.username is None:
            login, owner = self._own_login(asked, camera), camera.id
        order = Examining(
            address=asked.address,
            rtsp_url=asked.rtsp_url,
            rtsp_sub_url=asked.rtsp_sub_url,
            username=login.username,
            password=login.password,
            certificate=asked.certificate,
            may_be_ahead=asked.may_be_ahead,
            space=self._space(),
        )
        return Examination(order, login, owner, self._turns)

    def probed(self, probe_id: str) -> Examination:
        """Return an examination. Raises NotFoundError."""
        return self._probes.job(probe_id)

    def forget(self, probe_id: str) -> None:
        """End an examination and forget it, with the password. Raises NotFoundError."""
        self._probes.forget(probe_id)

    # -- changing ----------------------------------------------------------------------------------

    def camera(self, camera_id: str) -> CameraSection:
        """Return a camera as it is configured now. Raises NotFoundError."""
        for camera in self.book.cameras():
            if camera.id == camera_id:
                return camera
        raise NotFoundError(f"camera {camera_id}")

    def add(self, probe_id: str, wanted: Wanted, *, actor: str, reason: str) -> CameraSection:
        """Add a camera that was examined, and return it.

        Raises RefusedError, NotFoundError, ConfigError and StorageError; then nothing was added.
        """
        return self.enrol(self.probed(probe_id), wanted, actor=actor, reason=reason)

    def enrol(
        self, examined: Examination, wanted: Wanted, *, actor: str, reason: str
    ) -> CameraSection:
        """Add the camera of an examination; as :meth:`add`."""
        pulled = _pulled(examined)
        with self._changing:
            document = draft.new(
                self._id_for(wanted), wanted.facts, pulled, examined.login.username
            )
            if wanted.like is not None:
                like = draft.document_of(self.camera(wanted.like))
                document = draft.alike(document, like) | _own(document, wanted.facts)
            document = draft.watching(document, wanted.watched())
            return self.book.save(document, _password(examined), actor=actor, reason=reason)

    def change(
        self, camera_id: str, changes: Mapping[str, Any], *, actor: str, reason: str
    ) -> CameraSection:
        """Change facts of a camera (None: as if never set), and return it; raises as add does."""
        with self._changing:
            document = draft.changed(draft.document_of(self.camera(camera_id)), changes)
            return self.book.save(document, None, actor=actor, reason=reason)

    def replace(self, camera_id: str, probe_id: str, *, actor: str, reason: str) -> CameraSection:
        """Have another device in a camera's place, its id and history kept; raises as add does."""
        return self.put_in_place(camera_id, self.probed(probe_id), actor=actor, reason=reason)

    def put_in_place(
        self, camera_id: str, examined: Examination, *, actor: str, reason: str
    ) -> CameraSection:
        """Have the device of an examination in a camera's place; as :meth:`replace`."""
        pulled = _pulled(examined)
        with self._changing:
            document = draft.document_of(self.camera(camera_id))
            document = draft.replaced(document, pulled, examined.login.username)
            password = None if examined.owner == camera_id else _password(examined)
            return self.book.save(document, password, actor=actor, reason=reason)

    def like(self, camera_id: str, other_id: str, *, actor: str, reason: str) -> CameraSection:
        """Give a camera the settings of another, but for shapes on its picture; raises as add."""
        with self._changing:
            other = draft.document_of(self.camera(other_id))
            document = draft.alike(draft.document_of(self.camera(camera_id)), other)
            return self.book.save(document, None, actor=actor, reason=reason)

    def remove(self, camera_id: str, *, actor: str, reason: str) -> None:
        """Take a camera out; its recordings stay until their time is over. Raises as add does."""
        with self._changing:
            self.book.remove(camera_id, actor=actor, reason=reason)

    def add_all(self, rows: Sequence[Row], *, actor: str, reason: str) -> str:
        """Begin to add the cameras of a table; return the job's id. Raises QueueFullError."""
        cameras = self.book.cameras()
        return self._bulks.begin(Bulk(rows, cameras, self, actor=actor, reason=reason))

    def adding(self, bulk_id: str) -> Bulk:
        """Return such a job. Raises NotFoundError."""
        return self._bulks.job(bulk_id)

    def close(self) -> None:
        """End what is under way and wait for it; idempotent."""
        self._bulks.close()
        self._probes.close()
        self._searches.close()

    def _id_for(self, wanted: Wanted) -> str:
        """Return the id that a new camera gets. Raises RefusedError."""
        configured = {camera.id for camera in self.book.cameras()}
        if len(configured) >= MOST_CAMERAS:
            raise RefusedError(Refusal.TOO_MANY_CAMERAS)
        recorded = self._recorded()
        if wanted.camera_id is None:
            return draft.free_id(configured | recorded)
        if wanted.camera_id in configured:
            raise RefusedError(Refusal.ID_TAKEN)
        # Another camera's footage would pass for this one's.
        if wanted.camera_id in recorded:
            raise RefusedError(Refusal.ID_RECORDED)
        return wanted.camera_id

    def _own_login(self, asked: Asked, camera: CameraSection) -> Login:
        """Return the login that the box has of a camera. Raises RefusedError and ConfigError."""
        if not is_at(asked, camera):
            raise RefusedError(Refusal.LOGIN_ELSEWHERE)
        if camera.username is None or camera.password is None:
            return Login(None)
        return Login(camera.username, camera.password.read().get_secret_value())


def _pulled(examined: Examination) -> Pulled:
    """Return where an examined camera is pulled. Raises RefusedError."""
    if examined.state == "running":
        raise RefusedError(Refusal.PROBE_RUNNING)
    if examined.said.pulled is None:
        raise RefusedError(Refusal.PROBE_FAILED)
    return examined.said.pulled


def _password(examined: Examination) -> SecretStr | None:
    """Return the password that a camera was examined with; None where it wants none."""
    login = examined.login
    return None if login.username is None else SecretStr(login.password)


def _own(document: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a new camera's table was decided for itself."""
    return {key: document[key] for key in facts.keys() & document.keys()}
