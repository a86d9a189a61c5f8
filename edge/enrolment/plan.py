"""What becomes of a table's rows before anything is tried: refused by what is known, or planned.

Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from edge.config import CameraSection
from edge.enrolment.faults import REFUSALS, fault_of
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
from edge.errors import RefusedError

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
class Planned:
    """A row that may be tried; the password is in ``asked``."""

    verdict: Verdict
    asked: Asked = field(repr=False)
    wanted: Wanted


def verdicts(rows: Sequence[Row], cameras: Sequence[CameraSection]) -> tuple[Verdict, ...]:
    """Return what is to be said of every row before anything is tried."""
    return tuple(map(verdict_of, judged(rows, cameras)))


def verdict_of(row: Planned | Verdict) -> Verdict:
    """Return how a row is that was judged."""
    return row if isinstance(row, Verdict) else row.verdict


def judged(rows: Sequence[Row], cameras: Sequence[CameraSection]) -> Iterator[Planned | Verdict]:
    """Yield what becomes of each row, in the table's order: refused, or to be tried."""
    taken = _Taken(cameras)
    for row in rows:
        planned = Planned(
            Verdict(row.line, row.cells.get("id", ""), row.cells.get("name", ""), None),
            _asked(row),
            Wanted(row.facts(), row.cells.get("id"), row.cells.get("like"), row.watch()),
        )
        fault = _fault(row, planned.asked) or taken.objection(planned)
        if fault is not None:
            yield replace(planned.verdict, fault=fault)
        else:
            taken.take(planned)
            yield planned


class _Taken:
    """What the box's cameras and the rows before have already."""

    def __init__(self, cameras: Sequence[CameraSection]) -> None:
        self._configured = {camera.id for camera in cameras}
        self._ids = set(self._configured)
        self._places = {host_of(camera.main_url): camera.id for camera in cameras}
        self._places |= {_place(camera.main_url): camera.id for camera in cameras}
        self._left = MOST_CAMERAS - len(cameras)

    def objection(self, planned: Planned) -> Fault | None:
        """Return what speaks against a row beside others; None where nothing does."""
        wanted = planned.wanted
        if wanted.camera_id in self._ids:
            return REFUSALS[Refusal.ID_TAKEN]
        if (who := self._places.get(_place(planned.asked.address or ""))) is not None:
            return Fault(f"这个地址已经有了:{who}", f"this address is there already: {who}")
        if wanted.like is not None and wanted.like not in self._configured:
            return Fault(
                f"“参照”的摄像机 {wanted.like} 不存在", f"there is no camera {wanted.like}"
            )
        return None if self._left > 0 else REFUSALS[Refusal.TOO_MANY_CAMERAS]

    def take(self, planned: Planned) -> None:
        """Count a row among them."""
        self._left -= 1
        if planned.wanted.camera_id is not None:
            self._ids.add(planned.wanted.camera_id)
        where = f"第 {planned.verdict.line} 行 (line {planned.verdict.line})"
        self._places[_place(planned.asked.address or "")] = where


def _place(address: str) -> str:
    """Return an address in the one form in which two are compared.

    By its host alone one is a camera; where a port or a stream is named, there may be others.
    """
    if scheme_of(address) not in RTSP:
        return netloc_of(address).removesuffix(":80")
    path = address.strip().partition("://")[2].partition("/")[2]
    return f"rtsp://{netloc_of(address).removesuffix(':554')}/{path}"


def _asked(row: Row) -> Asked:
    return Asked(
        address=row.cells.get("address"),
        rtsp_sub_url=row.cells.get("sub"),
        username=row.cells.get("username"),
        password=row.cells.get("password"),
    )


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
