"""The routes of exports: ask for one, see how far it is, fetch what was made."""

from collections.abc import AsyncIterator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.types import Receive, Scope, Send

from edge.errors import NoRoomError, NotFoundError, QueueFullError
from edge.exports.archive import Run, layout, size_of, slices
from edge.exports.exporter import MOST_WAITING, Exporter
from edge.exports.job import Ask, Failure, Job, Kind, Polygon, State
from edge.exports.manifest import SUMS
from edge.web.actor import ActorDep
from edge.web.byte_range import Span, span_of
from edge.web.problem import Problem, invalid
from protocol.relay import StreamName

LONGEST = timedelta(hours=24)
_BLOCK_BYTES = 256 * 1024
#: A browser's copy would let the next one who sits there have it unregistered (export E10).
_FRESH = {"cache-control": "no-store"}
_TYPES = {".mp4": "video/mp4", ".json": "application/json"}

_Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]

_FAILURES = {
    Failure.NO_FOOTAGE: ("nothing is recorded there any more", "该时段已没有录像"),
    Failure.NO_ROOM: ("the box's disk has not enough room", "村级主机磁盘空间不足"),
    Failure.DISK: ("the box's disk refused a write", "村级主机磁盘写入失败"),
    Failure.SOURCE_CHANGED: ("a recorded file changed meanwhile", "导出过程中有录像文件被改动"),
    Failure.TOO_MANY_PARTS: (
        "it would be too many files: ask for less at a time",
        "分段过多，请缩短时间范围",
    ),
    Failure.INTERRUPTED: ("the box was restarted each time", "村级主机多次重启，导出未能完成"),
    Failure.CRASHED: ("the export process ended", "导出程序异常退出"),
}


class NewExport(BaseModel):
    """What is asked for; ``mark`` is for marked ones, ``regions`` for blurred ones."""

    model_config = ConfigDict(extra="forbid")

    camera_id: str
    stream: StreamName = StreamName.MAIN
    start: AwareDatetime
    end: AwareDatetime
    kind: Kind
    reason: Annotated[_Words, Field(min_length=1)]
    mark: Annotated[_Words, Field(max_length=60)] = ""
    regions: Annotated[tuple[Polygon, ...], Field(max_length=20)] = ()


class ErrorAnswer(BaseModel):
    """Why an export failed."""

    code: Failure
    message: str
    message_zh: str


class FileAnswer(BaseModel):
    """A file of a result."""

    name: str
    size_bytes: int = Field(serialization_alias="bytes")
    sha256: str


class PartAnswer(BaseModel):
    """A video of a result and what it truly shows."""

    name: str
    start: datetime
    end: datetime
    codec: str
    width: int
    height: int


class ExportAnswer(BaseModel):
    """One export. ``start`` and ``end`` are what was asked for; ``parts`` say what it shows."""

    id: str
    camera_id: str
    stream: StreamName
    start: datetime
    end: datetime
    kind: Kind
    reason: str
    by: str
    state: State
    created_at: datetime
    ended_at: datetime | None
    progress: float
    done_bytes: int
    total_bytes: int
    size_bytes: int = Field(serialization_alias="bytes")
    error: ErrorAnswer | None
    parts: tuple[PartAnswer, ...]
    files: tuple[FileAnswer, ...]

    @classmethod
    def of(cls, job: Job) -> "ExportAnswer":
        """Return the answer that says how ``job`` is."""
        ask = job.ask
        asked = ask.model_dump(include={"camera_id", "stream", "start", "end", "kind", "reason"})
        how = job.model_dump(
            include={"id", "state", "created_at", "ended_at", "done_bytes", "total_bytes"}
        )
        return cls(
            **asked,
            **how,
            by=ask.by,
            progress=round(job.progress, 4),
            size_bytes=job.size_bytes,
            error=_error(job),
            parts=tuple(PartAnswer(**each.model_dump()) for each in job.parts),
            files=tuple(FileAnswer(**each.model_dump(exclude={"crc32"})) for each in job.files),
        )


class ExportsAnswer(BaseModel):
    """All exports, newest first."""

    exports: tuple[ExportAnswer, ...]


class ExportRoutes:
    """One method a route; all run in worker threads."""

    def __init__(self, exporter: Exporter, cameras: AbstractSet[str], zone: tzinfo) -> None:
        self._exporter = exporter
        self._cameras = cameras
        self._zone = zone

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1/exports")
        add = router.add_api_route
        add("", self.ask, methods=["POST"], status_code=202)
        add("", self.all)
        add("/{job_id}", self.one)
        add("/{job_id}", self.remove, methods=["DELETE"], response_model=None)
        add("/{job_id}/all.zip", self.archive, response_model=None)
        add("/{job_id}/{name}", self.file, response_model=None)
        return router

    def ask(self, new: NewExport, actor: ActorDep) -> ExportAnswer:
        """Queue an export in the name of who acts."""
        self._check(new)
        ask = Ask(**new.model_dump(), by=actor)
        try:
            return ExportAnswer.of(self._exporter.submit(ask))
        except QueueFullError as error:
            words = f"已有 {MOST_WAITING} 个导出任务在排队，请稍后再试"
            raise Problem(429, "queue_full", str(error), words) from error
        except NoRoomError as error:
            words = "村级主机磁盘空间不足，请缩短时间范围或删除旧的导出结果"
            raise Problem(507, "no_room", str(error), words) from error

    def all(self) -> ExportsAnswer:
        """List the exports."""
        jobs = self._exporter.jobs()
        return ExportsAnswer(exports=tuple(ExportAnswer.of(job) for job in jobs))

    def one(self, job_id: str) -> ExportAnswer:
        """Say how an export is."""
        return ExportAnswer.of(self._exporter.job(job_id))

    def remove(self, job_id: str) -> ExportAnswer | Response:
        """Cancel an export that is not over; delete one that is."""
        job = self._exporter.remove(job_id)
        return Response(status_code=204) if job is None else ExportAnswer.of(job)

    def file(self, job_id: str, name: str) -> Response:
        """Return a file of the result, or the range of it that is asked for."""
        job = self._exporter.job(job_id)
        if all(each.name != name for each in job.files):
            raise NotFoundError(f"export {job_id}: no file {name}")
        media_type = "text/plain" if name == SUMS else _TYPES[Path(name).suffix]
        return _ResultFile(self._exporter, job_id, name, media_type)

    def archive(
        self,
        job_id: str,
        byte_range: Annotated[str | None, Header(alias="range")] = None,
        if_range: Annotated[str | None, Header()] = None,
    ) -> Response:
        """Return all files of the result as one zip, or the range of it that is asked for.

        It has a tag: without one a browser does not go on with a download that broke.
        """
        job = self._exporter.job(job_id)
        if job.state is not State.DONE:
            raise NotFoundError(f"export {job_id} is not done")
        assert job.ended_at is not None
        runs = layout(job.files, job.ended_at.astimezone(self._zone))
        whole = size_of(runs)
        tag = f'"{job_id}"'
        try:
            span = span_of(byte_range if if_range in {None, tag} else None, whole)
        except ValueError:
            headers = {"content-range": f"bytes */{whole}"}
            return Response(status_code=416, headers=headers)
        name = f"{Path(job.parts[0].name).stem.rpartition('_')[0]}.zip"
        headers = {"content-disposition": f'attachment; filename="{name}"', "etag": tag}
        return _Archive(self._exporter, job_id, runs, span, headers)

    def _check(self, new: NewExport) -> None:
        if new.camera_id not in self._cameras:
            raise NotFoundError(f"camera {new.camera_id}")
        if new.start >= new.end:
            raise invalid("'start' must be before 'end'", "开始时间必须早于结束时间")
        if new.end - new.start > LONGEST:
            hours = LONGEST // timedelta(hours=1)
            raise invalid(
                f"'start' to 'end' must be at most {hours} hours",
                f"一次最多导出 {hours} 小时",
            )
        if new.mark and new.kind is not Kind.MARKED:
            raise invalid("'mark' is for kind 'marked'", "只有加水印的导出可以填写水印文字")
        if new.regions and new.kind is not Kind.BLURRED:
            raise invalid("'regions' are for kind 'blurred'", "只有打码的导出可以指定区域")


@asynccontextmanager
async def _reading(exporter: Exporter, job_id: str) -> AsyncIterator[Path]:
    """Give the folder of a result as Exporter.reading does.

    The exporter writes to the disk under its lock: the event loop must not wait for that.
    """
    held = ExitStack()
    try:
        yield await run_in_threadpool(held.enter_context, exporter.reading(job_id))
    finally:
        await run_in_threadpool(held.close)


class _ResultFile(FileResponse):
    """A file of a result, which is not deleted while it is sent."""

    def __init__(self, exporter: Exporter, job_id: str, name: str, media_type: str) -> None:
        self._exporter = exporter
        self._job_id = job_id
        super().__init__(name, media_type=media_type, filename=name, headers=_FRESH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        async with _reading(self._exporter, self._job_id) as folder:
            self.path = folder / str(self.path)
            await super().__call__(scope, receive, send)


class _Archive(StreamingResponse):
    """All files of a result as one zip; none is deleted while it is sent."""

    def __init__(
        self,
        exporter: Exporter,
        job_id: str,
        runs: list[Run],
        span: Span,
        named: Mapping[str, str],
    ) -> None:
        self._exporter, self._job_id = exporter, job_id
        self._runs, self._span = runs, span
        headers = {
            "accept-ranges": "bytes",
            "content-length": str(span.end - span.start),
            **named,
            **_FRESH,
        }
        if span.is_part:
            headers["content-range"] = f"bytes {span.start}-{span.end - 1}/{size_of(runs)}"
        status = 206 if span.is_part else 200
        super().__init__((), status, headers=headers, media_type="application/zip")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the archive."""
        async with _reading(self._exporter, self._job_id) as folder:
            self.body_iterator = iterate_in_threadpool(self._bytes(folder))
            await super().__call__(scope, receive, send)

    def _bytes(self, folder: Path) -> Iterator[bytes]:
        for piece in slices(self._runs, self._span.start, self._span.end):
            if piece.size_bytes:
                yield from _blocks(folder / piece.name, piece.offset, piece.size_bytes)
            else:
                yield piece.data


def _blocks(path: Path, offset: int, size_bytes: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while size_bytes > 0:
            data = file.read(min(_BLOCK_BYTES, size_bytes))
            if not data:
                raise OSError(f"{path.name} is shorter than it was")
            size_bytes -= len(data)
            yield data


def _error(job: Job) -> ErrorAnswer | None:
    if job.failure is None:
        return None
    message, message_zh = _FAILURES[job.failure]
    return ErrorAnswer(code=job.failure, message=message, message_zh=message_zh)
