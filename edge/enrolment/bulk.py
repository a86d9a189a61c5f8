"""Many cameras added from a table: each row is examined and saved, or refused, by itself."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from edge.config import CameraSection
from edge.enrolment.faults import REFUSALS, fault_of, told
from edge.enrolment.request import (
    MOST_CAMERAS,
    RTSP,
    Asked,
    Refusal,
    Wanted,
    checked,
    host_of,
    netloc_of,
    scheme_of,
)
from edge.enrolment.sheet import Fault, Row
from edge.enrolment.work import Examination
from edge.errors import ConfigError, EdgeError, NotFoundError, RefusedError

RowState = Literal["waiting", "probing", "saved", "failed"]

#: A row by itself is checked as a camera at an address that nobody has.
_ANYWHERE = "rtsp://camera.invalid/"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a row is: ``fault`` is None where nothing speaks against it.

    ``camera_id`` is empty where it is made when the camera is saved.
    """

    line: int
    camera_id: str
    name: str
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class RowProgress:
    """How far a row is."""

    line: int
    camera_id: str
    name: str
    state: RowState
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class _Planned:
    """A row that may be tried; the password is in ``asked``."""

    verdict: Verdict
    asked: Asked = field(repr=False)
    wanted: Wanted


def verdicts(rows: Sequence[Row], cameras: Sequence[CameraSection]) -> tuple[Verdict, ...]:
    """Return what is to be said of every row before anything is tried."""
    return tuple(_verdict_of(each) for each in _judged(rows, cameras))


def _verdict_of(judged: "_Planned | Verdict") -> Verdict:
    return judged if isinstance(judged, Verdict) else judged.verdict


def _judged(
    rows: Sequence[Row], cameras: Sequence[CameraSection]
) -> Iterator["_Planned | Verdict"]:
    configured = {camera.id for camera in cameras}
    ids = set(configured)
    places = {_place(camera.main_url): camera.id for camera in cameras}
    hosts = {host_of(camera.main_url): camera.id for camera in cameras}
    left = MOST_CAMERAS - len(cameras)
    for row in rows:
        verdict = Verdict(row.line, row.cells.get("id", ""), row.cells.get("name", ""), None)
        asked, wanted = _asked(row), _wanted(row)
        place = _place(row.cells.get("address", ""))
        fault = _fault(row, asked)
        if fault is None and verdict.camera_id in ids:
            fault = REFUSALS[Refusal.ID_TAKEN]
        if fault is None:
            known = places.get(place) or hosts.get(place)
            fault = None if known is None else _known(known)
        if fault is None and wanted.like is not None and wanted.like not in configured:
            fault = Fault(
                f"“参照”的摄像机 {wanted.like} 不存在", f"there is no camera {wanted.like}"
            )
        if fault is None and left <= 0:
            fault = REFUSALS[Refusal.TOO_MANY_CAMERAS]
        if fault is not None:
            yield replace(verdict, fault=fault)
            continue
        left -= 1
        ids.add(verdict.camera_id or f"line {row.line}")
        where = f"第 {row.line} 行 (line {row.line})"
        places[place] = where
        yield _Planned(verdict, asked, wanted)


def _place(address: str) -> str:
    """Return an address in the one form in which two are compared.

    By its host alone one is a camera; where a port or a stream is named, there may be others.
    """
    if scheme_of(address) in RTSP:
        return address.strip().replace(":554/", "/").lower()
    return netloc_of(address).removesuffix(":80")


def _known(who: str) -> Fault:
    return Fault(f"这个地址已经有了:{who}", f"this address is there already: {who}")


def _asked(row: Row) -> Asked:
    return Asked(
        address=row.cells.get("address"),
        rtsp_sub_url=row.cells.get("sub"),
        username=row.cells.get("username"),
        password=row.cells.get("password"),
    )


def _wanted(row: Row) -> Wanted:
    return Wanted(row.facts(), row.cells.get("id"), row.cells.get("like"))


def _fault(row: Row, asked: Asked) -> Fault | None:
    """Return what is wrong with a row by itself."""
    if row.faults:
        return Fault(
            ";".join(each.zh for each in row.faults), "; ".join(each.en for each in row.faults)
        )
    try:
        checked(asked)
    except RefusedError as error:
        return REFUSALS[Refusal(error.why)]
    camera = {"id": row.cells.get("id", "cam1"), **row.facts(), "main_url": _ANYWHERE}
    # Whether there is a sub-stream shows when it is examined.
    return fault_of({**camera, "sub_url": _ANYWHERE})


class Enrols(Protocol):
    """Who examines and adds a camera; see Enroller."""

    def examination(self, asked: Asked) -> Examination:
        """Return an examination that somebody begins."""

    def enrol(
        self, examined: Examination, wanted: Wanted, *, actor: str, reason: str
    ) -> CameraSection:
        """Add the camera of an examination."""


class Bulk:
    """The rows of a table examined and saved one after another; see Job.

    What fails is said at its row, and hinders no other. The passwords of rows that are over are
    forgotten.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        cameras: Sequence[CameraSection],
        enroller: Enrols,
        *,
        actor: str,
        reason: str,
    ) -> None:
        self._enroller = enroller
        self._actor = actor
        self._reason = reason
        self._lock = threading.Lock()
        self._stopped = False
        self._examining: Examination | None = None
        judged = list(_judged(rows, cameras))
        self._plans = {each.verdict.line: each for each in judged if isinstance(each, _Planned)}
        self._progress = {
            verdict.line: RowProgress(
                verdict.line,
                verdict.camera_id,
                verdict.name,
                "waiting" if verdict.fault is None else "failed",
                verdict.fault,
            )
            for verdict in map(_verdict_of, judged)
        }

    @property
    def is_over(self) -> bool:
        """Whether every row is saved or failed."""
        return all(each.state in {"saved", "failed"} for each in self.rows())

    def rows(self) -> tuple[RowProgress, ...]:
        """Return how far each row is, in the table's order."""
        with self._lock:
            return tuple(self._progress.values())

    def work(self) -> None:
        """Do one row after another."""
        for line in list(self._plans):
            plan = self._plans.pop(line)
            if self._stopped:
                self._note(line, "failed", Fault("没有做:已中止", "not done: it was ended"))
                continue
            try:
                self._note(line, "saved", camera_id=self._enrolled(line, plan))
            except RefusedError as error:
                self._note(line, "failed", REFUSALS[Refusal(error.why)])
            except ConfigError as error:
                self._note(line, "failed", told(str(error)))
            except NotFoundError as error:
                self._note(line, "failed", Fault("参照的摄像机已经没有了", str(error)))
            except EdgeError as error:
                self._note(line, "failed", Fault("没有存下来:存储暂不可用", str(error)))
            except _FailedError as error:
                self._note(line, "failed", error.fault)

    def stop(self) -> None:
        """End it after the row that is being saved; see Job.stop."""
        self._stopped = True
        if (examining := self._examining) is not None:
            examining.stop()

    def _enrolled(self, line: int, plan: _Planned) -> str:
        """Examine and save a camera and return its id."""
        self._note(line, "probing")
        self._examining = examined = self._enroller.examination(plan.asked)
        if self._stopped:
            examined.stop()
        examined.work()
        self._examining = None
        if (problem := examined.said.problem) is not None:
            raise _FailedError(Fault(problem.zh, problem.en))
        camera = self._enroller.enrol(examined, plan.wanted, actor=self._actor, reason=self._reason)
        return camera.id

    def _note(
        self, line: int, state: RowState, fault: Fault | None = None, camera_id: str | None = None
    ) -> None:
        with self._lock:
            before = self._progress[line]
            self._progress[line] = replace(
                before, state=state, fault=fault, camera_id=camera_id or before.camera_id
            )


class _FailedError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.en)
        self.fault = fault
