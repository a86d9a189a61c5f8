"""Many cameras added from a table: each row is examined and saved, or refused, by itself."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from edge.config import CameraSection
from edge.enrolment.faults import REFUSALS, told
from edge.enrolment.plan import Planned, judged, verdict_of
from edge.enrolment.request import Asked, Refusal, Wanted
from edge.enrolment.sheet import Fault, Row
from edge.enrolment.work import Examination
from edge.errors import ConfigError, EdgeError, NotFoundError, RefusedError

RowState = Literal["waiting", "probing", "saved", "failed"]


@dataclass(frozen=True, slots=True)
class RowProgress:
    """How far a row is."""

    line: int
    camera_id: str
    name: str
    state: RowState
    fault: Fault | None = None


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
    forgotten. ``tell`` is given each row that is over, in the thread that works.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        cameras: Sequence[CameraSection],
        enroller: Enrols,
        *,
        actor: str,
        reason: str,
        tell: Callable[[RowProgress], None] = lambda _row: None,
    ) -> None:
        self._enroller = enroller
        self._tell = tell
        self._actor = actor
        self._reason = reason
        self._lock = threading.Lock()
        self._stopped = False
        self._examining: Examination | None = None
        self.is_over = False
        found = list(judged(rows, cameras))
        self._plans = {each.verdict.line: each for each in found if isinstance(each, Planned)}
        self._progress = {
            verdict.line: RowProgress(
                verdict.line,
                verdict.camera_id,
                verdict.name,
                "waiting" if verdict.fault is None else "failed",
                verdict.fault,
            )
            for verdict in map(verdict_of, found)
        }

    def rows(self) -> tuple[RowProgress, ...]:
        """Return how far each row is, in the table's order."""
        with self._lock:
            return tuple(self._progress.values())

    def work(self) -> None:
        """Do one row after another."""
        try:
            for row in self.rows():
                plan = self._plans.pop(row.line, None)
                if plan is None:
                    self._tell(row)
                else:
                    self._do(row.line, plan)
        finally:
            self.is_over = True

    def _do(self, line: int, plan: Planned) -> None:
        if self._stopped:
            self._note(line, "failed", Fault("没有做:已中止", "not done: it was ended"))
            return
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

    def _enrolled(self, line: int, plan: Planned) -> str:
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
            row = self._progress[line] = replace(
                before, state=state, fault=fault, camera_id=camera_id or before.camera_id
            )
        if state != "probing":
            self._tell(row)


class _FailedError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.en)
        self.fault = fault
