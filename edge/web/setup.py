"""The routes of setting cameras up: search, examine, add, change (docs/design/api.md)."""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from edge.config import CameraId, CameraSection
from edge.enrolment.enroller import Enroller
from edge.enrolment.faults import REFUSALS, told
from edge.enrolment.plan import verdicts
from edge.enrolment.request import Asked, Refusal, Wanted, Watch
from edge.enrolment.sheet import SheetError, rows
from edge.errors import ConfigError, NotFoundError, QueueFullError, RefusedError
from edge.health import StreamBoard
from edge.web.actor import ActorDep
from edge.web.problem import Problem
from edge.web.setup_answers import (
    BegunAnswer,
    BulkAnswer,
    ProbeAnswer,
    SearchAnswer,
    SetupAnswer,
    SetupCameraAnswer,
    VerdictAnswer,
    VerdictsAnswer,
)
from protocol.messages import GridCode, LegalBasis, LocalId, StreamState
from protocol.relay import StreamName

LONGEST_SEARCH_S = 10.0
#: A table of as many cameras as a box has.
MOST_CSV_CHARS = 64 * 1024

_CONFLICTS = frozenset(
    {
        Refusal.PROBE_RUNNING,
        Refusal.PROBE_FAILED,
        Refusal.ID_TAKEN,
        Refusal.ID_RECORDED,
        Refusal.TOO_MANY_CAMERAS,
    }
)
_FRESH = {"cache-control": "no-store"}

_Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2048)]
_Words = Annotated[str, StringConstraints(strip_whitespace=True)]
_Days = Annotated[int, Field(ge=1, le=3650)]
_JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
_Id = Annotated[LocalId, Path()]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class SearchBody(_Body):
    """For how long to listen."""

    seconds: float = Field(default=3.0, ge=1, le=LONGEST_SEARCH_S)


class ProbeBody(_Body):
    """A camera that is to be examined; see Asked."""

    address: _Address | None = None
    rtsp_url: _Address | None = None
    rtsp_sub_url: _Address | None = None
    username: Annotated[str, StringConstraints(max_length=64)] | None = None
    password: Annotated[SecretStr, Field(max_length=128)] | None = None
    certificate: Annotated[str, StringConstraints(max_length=128)] | None = None
    may_be_ahead: bool = False
    camera_id: LocalId | None = None

    def asked(self) -> Asked:
        """Return it as enrolment takes it; an empty field is none."""
        password = self.password and self.password.get_secret_value()
        return Asked(
            address=self.address or None,
            rtsp_url=self.rtsp_url or None,
            rtsp_sub_url=self.rtsp_sub_url or None,
            username=self.username or None,
            password=password or None,
            certificate=self.certificate or None,
            may_be_ahead=self.may_be_ahead,
            camera_id=self.camera_id,
        )


class _Facts(_Body):
    """What a person decides of a camera, by the configuration's keys."""

    reason: _Reason

    def facts(self) -> dict[str, Any]:
        """Return what is given of it."""
        given = self.model_dump(mode="json", exclude_unset=True)
        return {key: value for key, value in given.items() if key in FACTS}


class NewCameraBody(_Facts):
    """A camera that was examined and is to be added."""

    probe_id: str
    id: CameraId | None = None
    name: _Words
    grid_code: GridCode
    place: _Words = ""
    legal_basis: LegalBasis
    retention_days: _Days | None = None
    retention_reason: _Words | None = None
    record_sub: bool | None = None
    like: LocalId | None = None
    watch: tuple[Watch, ...] | None = None


class ChangeBody(_Facts):
    """What of a camera is to change; null: as if it had never been set."""

    name: _Words | None = None
    grid_code: GridCode | None = None
    place: _Words | None = None
    legal_basis: LegalBasis | None = None
    retention_days: _Days | None = None
    retention_reason: _Words | None = None
    enabled: bool | None = None
    record_sub: bool | None = None


class ReplaceBody(_Body):
    """The device that was examined, and why it takes the place."""

    probe_id: str
    reason: _Reason


class LikeBody(_Body):
    """The camera whose settings are copied."""

    camera_id: LocalId
    reason: _Reason


class BulkBody(_Body):
    """A table of cameras; without ``apply`` it is only looked at."""

    csv: Annotated[str, StringConstraints(max_length=MOST_CSV_CHARS)] = Field(repr=False)
    apply: bool = False
    reason: _Reason = "批量添加 bulk"


#: Keys of a camera's table that a person decides here.
FACTS = frozenset(ChangeBody.model_fields) - {"reason"}


class SetupRoutes:
    """One method a route; all block for files at most, so they run in worker threads.

    ``changed`` are the ids of cameras that are not as the configuration file has them.
    """

    def __init__(
        self,
        enroller: Enroller,
        streams: StreamBoard,
        changed: Callable[[], AbstractSet[str]],
    ) -> None:
        self._enroller = enroller
        self._streams = streams
        self._changed = changed

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1/setup")
        add = router.add_api_route
        add("/searches", self.search, methods=["POST"], status_code=201)
        add("/searches/{search_id}", self.searched)
        add("/probes", self.probe, methods=["POST"], status_code=201)
        add("/probes/{probe_id}", self.probed)
        add("/probes/{probe_id}", self.forget, methods=["DELETE"], status_code=204)
        add("/probes/{probe_id}/picture.jpg", self.picture, response_class=Response)
        add("/cameras", self.cameras)
        add("/cameras", self.add, methods=["POST"], status_code=201)
        add("/cameras/{camera_id}", self.change, methods=["PATCH"])
        add("/cameras/{camera_id}", self.remove, methods=["DELETE"], status_code=204)
        add("/cameras/{camera_id}/replace", self.replace, methods=["POST"])
        add("/cameras/{camera_id}/like", self.like, methods=["POST"])
        add("/bulk", self.bulk, methods=["POST"], response_model=None)
        add("/bulk/{bulk_id}", self.adding)
        return router

    def search(self, body: SearchBody) -> BegunAnswer:
        """Begin to look for cameras on the box's networks."""
        with _refusing():
            return BegunAnswer(id=self._enroller.search(body.seconds))

    def searched(self, search_id: _JobId) -> SearchAnswer:
        """Say who answered."""
        return SearchAnswer.of(self._enroller.searched(search_id), self._enroller.book.cameras())

    def probe(self, body: ProbeBody) -> BegunAnswer:
        """Begin to examine a camera."""
        with _refusing():
            return BegunAnswer(id=self._enroller.probe(body.asked()))

    def probed(self, probe_id: _JobId) -> ProbeAnswer:
        """Say how far an examination is, and what it found."""
        return ProbeAnswer.of(self._enroller.probed(probe_id))

    def picture(self, probe_id: _JobId) -> Response:
        """Return a picture of the camera that was examined."""
        jpeg = self._enroller.probed(probe_id).picture
        if jpeg is None:
            raise NotFoundError(f"probe {probe_id}: no picture")
        return Response(jpeg, media_type="image/jpeg", headers=_FRESH)

    def forget(self, probe_id: _JobId) -> None:
        """End an examination and forget it."""
        self._enroller.forget(probe_id)

    def cameras(self) -> SetupAnswer:
        """List the cameras as they are configured now."""
        book = self._enroller.book
        running, version = book.running(), book.version()
        changed = self._changed()
        return SetupAnswer(
            version=version,
            running=running,
            cameras=tuple(self._camera(each, changed) for each in book.cameras()),
        )

    def add(self, body: NewCameraBody, actor: ActorDep) -> SetupCameraAnswer:
        """Add a camera that was examined."""
        facts = {key: value for key, value in body.facts().items() if value is not None}
        watch = None if body.watch is None else frozenset(body.watch)
        wanted = Wanted(facts, body.id, body.like, watch)
        with _refusing():
            return self._camera(
                self._enroller.add(body.probe_id, wanted, actor=actor, reason=body.reason)
            )

    def change(self, camera_id: _Id, body: ChangeBody, actor: ActorDep) -> SetupCameraAnswer:
        """Change facts of a camera."""
        with _refusing():
            return self._camera(
                self._enroller.change(camera_id, body.facts(), actor=actor, reason=body.reason)
            )

    def replace(self, camera_id: _Id, body: ReplaceBody, actor: ActorDep) -> SetupCameraAnswer:
        """Have another device in a camera's place."""
        with _refusing():
            return self._camera(
                self._enroller.replace(camera_id, body.probe_id, actor=actor, reason=body.reason)
            )

    def like(self, camera_id: _Id, body: LikeBody, actor: ActorDep) -> SetupCameraAnswer:
        """Give a camera the settings of another."""
        with _refusing():
            return self._camera(
                self._enroller.like(camera_id, body.camera_id, actor=actor, reason=body.reason)
            )

    def remove(self, camera_id: _Id, actor: ActorDep, reason: Annotated[_Reason, Query()]) -> None:
        """Take a camera out; its recordings stay until their time is over."""
        with _refusing():
            self._enroller.remove(camera_id, actor=actor, reason=reason)

    def bulk(self, body: BulkBody, actor: ActorDep) -> Response:
        """Say how a table's rows are, or begin to add its cameras."""
        with _refusing():
            found = rows(body.csv)
            if body.apply:
                begun = self._enroller.add_all(found, actor=actor, reason=body.reason)
                return JSONResponse(BegunAnswer(id=begun).model_dump(), status_code=201)
            judged = verdicts(found, self._enroller.book.cameras())
        answer = VerdictsAnswer(rows=tuple(map(VerdictAnswer.of, judged)))
        return JSONResponse(answer.model_dump())

    def adding(self, bulk_id: _JobId) -> BulkAnswer:
        """Say how far a table is."""
        return BulkAnswer.of(self._enroller.adding(bulk_id))

    def _camera(
        self, camera: CameraSection, changed: AbstractSet[str] | None = None
    ) -> SetupCameraAnswer:
        is_changed = camera.id in (self._changed() if changed is None else changed)
        status = self._streams.status(camera.id, StreamName.MAIN)
        state = StreamState.CONNECTING if status is None else status.state
        return SetupCameraAnswer.of(camera, is_changed=is_changed, state=state)


@contextmanager
def _refusing() -> Iterator[None]:
    """Tell why something is not done. Raises Problem."""
    try:
        yield
    except RefusedError as error:
        refusal = Refusal(error.why)
        status = 409 if refusal in _CONFLICTS else 422
        fault = REFUSALS[refusal]
        raise Problem(status, refusal.value, fault.en, fault.zh) from None
    except SheetError as error:
        raise Problem(422, "sheet", error.fault.en, error.fault.zh) from None
    except ConfigError as error:
        fault = told(str(error))
        raise Problem(422, "invalid", fault.en, fault.zh) from None
    except QueueFullError as error:
        raise Problem(429, "busy", str(error), "同时进行的检查太多,请稍后再试") from None
