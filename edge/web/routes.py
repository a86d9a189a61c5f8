"""The routes of the box's own interface (docs/design/api.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, Response
from pydantic import AwareDatetime

from edge.config import CameraSection
from edge.errors import NotFoundError
from edge.exports.exporter import Exporter
from edge.health import HealthBoard, StreamBoard
from edge.live.hubs import LiveHubs
from edge.ports import Clipper
from edge.previews.taker import PreviewTaker
from edge.recording.coverage import coverage, days
from edge.recording.hold_desk import HoldDesk
from edge.recording.index import RecordingIndex
from edge.recording.segment import Gap, Segment
from edge.snapshot import PictureTaker
from edge.web.answers import (
    CameraAnswer,
    CamerasAnswer,
    CoverageAnswer,
    DayAnswer,
    GapAnswer,
    HealthAnswer,
    TimelineAnswer,
    timeline,
)
from edge.web.clip import ClipResponse, ClipShelf
from edge.web.playlist import playlist
from edge.web.problem import invalid
from edge.web.rules import RuleRoutes
from edge.web.settings import SettingsRoutes
from edge.web.setup import SetupRoutes
from edge.web.storage import StorageRoutes
from protocol.clock import Clock
from protocol.messages import StreamState
from protocol.relay import StreamName
from protocol.viewer import Ended, StateChanged, wire
from protocol.viewing import serve_viewer

#: A clip is for evidence; longer stretches are played from the recorded files.
MAX_CLIP = timedelta(minutes=10)

#: A week of 10 s files is 60 000 of them.
MAX_LISTED = timedelta(days=7)

#: A month of days in one answer, and the gaps of a camera that comes and goes.
MAX_DAYS = 31
_YEARS = range(1970, 2100)
MAX_GAPS = 500
#: What a person may be told of; shorter ones count, and are not listed.
_SHOWN_GAP = timedelta(seconds=1)
_IN_HAND = timedelta(seconds=3)

_From = Annotated[AwareDatetime, Query(alias="from")]
_To = Annotated[AwareDatetime, Query()]
_FromDay = Annotated[date, Query(alias="from")]
_FRESH = {"cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class Collaborators:
    """What the interface shows. ``scratch`` is a folder of its own: it is emptied at the start.

    ``setup`` is None where cameras can't be set up.
    """

    cameras: Sequence[CameraSection]
    index: RecordingIndex
    holds: HoldDesk
    clipper: Clipper
    exporter: Exporter
    pictures: PictureTaker
    previews: PreviewTaker
    hubs: LiveHubs
    streams: StreamBoard
    health: HealthBoard
    storage: StorageRoutes
    rules: RuleRoutes
    settings: SettingsRoutes
    scratch: Path
    zone: tzinfo
    clock: Clock
    setup: SetupRoutes | None = None


class EdgeRoutes:
    """One method a route. Those that block are plain functions: they run in worker threads."""

    def __init__(self, box: Collaborators) -> None:
        self._box = box
        self._cameras = {camera.id: camera for camera in box.cameras}
        self._clips = ClipShelf(box.clipper, box.scratch)
        self._clips.sweep()

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1")
        router.add_api_route("/health", self.health)
        router.add_api_route("/cameras", self.cameras)
        router.add_api_route("/cameras/{camera_id}/timeline", self.timeline)
        router.add_api_route("/cameras/{camera_id}/coverage", self.coverage)
        router.add_api_route("/cameras/{camera_id}/playlist.m3u8", self.playlist)
        router.add_api_route("/cameras/{camera_id}/clip.mp4", self.clip)
        router.add_api_route("/cameras/{camera_id}/snapshot.jpg", self.snapshot)
        router.add_api_route("/segments/{segment_id}.mp4", self.segment)
        router.add_api_websocket_route("/live/{camera_id}/{stream}", self.live)
        return router

    def health(self) -> HealthAnswer:
        """Say how every component is."""
        return HealthAnswer.of(self._box.health.health())

    def cameras(self) -> CamerasAnswer:
        """List the cameras with the states of their streams and their rules."""
        board = self._box.streams
        return CamerasAnswer(
            cameras=tuple(CameraAnswer.of(camera, board) for camera in self._box.cameras)
        )

    def timeline(
        self, camera_id: str, start: _From, to: _To, stream: StreamName = StreamName.MAIN
    ) -> TimelineAnswer:
        """Say what is recorded of a camera and what is missing."""
        self._check(camera_id, start, to, MAX_LISTED)
        of = (camera_id, stream)
        # The growing file first: closed in between, it is then in the list instead.
        growing = self._box.index.growing(*of)
        segments = self._box.index.segments(*of, start, to)
        if growing is not None and any(segment.path == growing.path for segment in segments):
            growing = None
        gaps = self._box.index.gaps(*of, start, to)
        streams = [
            each for each in StreamName if self._box.index.reaches(camera_id, each, start, to)
        ]
        return timeline(of, (start, to), segments, gaps, growing, streams)

    def coverage(self, camera_id: str, start: _FromDay, to: date) -> CoverageAnswer:
        """Say how much of each day of the box was recorded and why the rest was not."""
        self._camera(camera_id)
        is_shown = _YEARS.start <= start.year and to.year in _YEARS  # by any clock, however wrong
        if not (is_shown and start <= to < start + timedelta(days=MAX_DAYS)):
            raise invalid(
                f"'from' to 'to' must be 1 to {MAX_DAYS} days", f"日期跨度为 1 至 {MAX_DAYS} 天"
            )
        of, index, now = (camera_id, StreamName.MAIN), self._box.index, self._box.clock.now()
        since = index.expected_since(*of)
        if since is None:
            return CoverageAnswer(
                camera_id=camera_id, since=None, days=(), gaps=(), gaps_left_out=0
            )
        growing = index.growing(*of)
        # What came in the last second or so is in hand and not written yet: it is not missing.
        if growing is not None and now - _IN_HAND < growing.end < now:
            now = growing.end
        found: list[DayAnswer] = []
        gaps: dict[datetime, Gap] = {}
        for day, expected in days(start, to, self._box.zone, since, now):
            of_day = index.gaps(*of, *expected)
            gaps |= {gap.start: gap for gap in of_day if (gap.end or now) - gap.start >= _SHOWN_GAP}
            parts = coverage(index.stretches(*of, *expected), of_day, *expected)
            found.append(DayAnswer.of(day, expected, parts))
        newest = [gaps[at] for at in sorted(gaps, reverse=True)]
        return CoverageAnswer(
            camera_id=camera_id,
            since=since,
            days=tuple(found),
            gaps=tuple(GapAnswer.model_validate(gap) for gap in newest[:MAX_GAPS]),
            gaps_left_out=max(0, len(newest) - MAX_GAPS),
        )

    def playlist(
        self, camera_id: str, start: _From, to: _To, stream: StreamName = StreamName.MAIN
    ) -> Response:
        """Return an HLS playlist of the recorded files, the growing one left out."""
        self._check(camera_id, start, to, MAX_LISTED)
        footage = self._box.index.footage(camera_id, stream, start, to)
        segments = [item for item in footage if isinstance(item, Segment)]
        if not segments:
            raise NotFoundError(f"camera {camera_id}: nothing is recorded there")
        return Response(
            playlist(segments), media_type="application/vnd.apple.mpegurl", headers=_FRESH
        )

    async def clip(
        self, camera_id: str, start: _From, to: _To, stream: StreamName = StreamName.MAIN
    ) -> Response:
        """Return a clip, cut at key frames; its headers say the true ends."""
        self._check(camera_id, start, to, MAX_CLIP)
        clip = await self._clips.cut(camera_id, start, to, stream)
        headers = {"x-clip-start": _iso(clip.start), "x-clip-end": _iso(clip.end)} | _FRESH
        return ClipResponse(clip, headers)

    def snapshot(self, camera_id: str) -> Response:
        """Return the newest picture."""
        self._camera(camera_id)
        picture = self._box.pictures.newest(camera_id)
        headers = {"x-picture-time": _iso(picture.at)} | _FRESH
        return Response(picture.jpeg, media_type="image/jpeg", headers=headers)

    def segment(self, segment_id: int) -> Response:
        """Return a recorded file, or the range of it that is asked for."""
        segment = self._box.index.segment(segment_id)
        if not segment.path.is_file():
            raise NotFoundError(f"segment {segment_id}: the file is gone")
        # A closed file never changes; private: it shows people.
        headers = {"cache-control": "private, max-age=3600, immutable"}
        return FileResponse(segment.path, media_type="video/mp4", headers=headers)

    async def live(self, socket: WebSocket, camera_id: str, stream: StreamName) -> None:
        """Speak the viewer protocol."""
        await socket.accept()
        try:
            try:
                viewer = self._box.hubs.hub(camera_id, stream).watch()
            except NotFoundError:
                # A browser can't read why a WebSocket was refused: say it inside.
                for item in (StateChanged(StreamState.LOST), Ended("no_such_camera")):
                    await socket.send_text(str(wire(item)[0]))
                await socket.close()
                return
            await serve_viewer(socket, viewer)
        except WebSocketDisconnect:
            return

    def _camera(self, camera_id: str) -> CameraSection:
        camera = self._cameras.get(camera_id)
        if camera is None:
            raise NotFoundError(f"camera {camera_id}")
        return camera

    def _check(self, camera_id: str, start: datetime, to: datetime, at_most: timedelta) -> None:
        self._camera(camera_id)
        if start >= to:
            raise invalid("'from' must be before 'to'", "开始时间必须早于结束时间")
        if to - start > at_most:
            minutes = int(at_most.total_seconds() // 60)
            raise invalid(
                f"'from' to 'to' must be at most {minutes} minutes",
                f"时间跨度最长 {minutes} 分钟",
            )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
