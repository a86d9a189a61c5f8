"""The routes of previews: small pictures of recorded moments (docs/design/recording.md)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime

from edge.errors import MediaError, NotFoundError
from edge.previews.sheet import Preview, Sheet, Slot, iso, slots
from edge.previews.taker import PreviewTaker
from edge.web.problem import Problem, invalid
from protocol.clock import Clock

#: A week, as for the timeline.
MAX_STRETCH = timedelta(days=7)
MAX_PICTURES = 60
#: Requests that may be under way; more would wait longer than anybody looks.
MAX_UNDER_WAY = 8
#: So long a sheet is worked on; what is not made by then is left out and said to be.
SHEET_S = 15.0
#: So long after the last request the pictures in memory are forgotten.
IDLE_S = 600.0

#: Times that the centre knows too; near the ends of the calendar there is none a little before.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

_At = Annotated[AwareDatetime, Query(ge=_FIRST, lt=_LAST)]
_From = Annotated[AwareDatetime, Query(alias="from", ge=_FIRST, lt=_LAST)]
_Count = Annotated[int, Query(ge=1, le=MAX_PICTURES)]
_FRESH = {"cache-control": "no-store"}  # a browser's copy would outlive the footage (I18)


class PreviewRoutes:
    """Single pictures and sheets. One picture is made at a time; single ones slip in between."""

    def __init__(self, cameras: frozenset[str], previews: PreviewTaker, clock: Clock) -> None:
        self._cameras = cameras
        self._previews = previews
        self._clock = clock
        self._turn = asyncio.Semaphore(1)
        self._under_way = 0
        self._forgetting: asyncio.TimerHandle | None = None

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1")
        router.add_api_route("/cameras/{camera_id}/preview.jpg", self.preview)
        router.add_api_route("/cameras/{camera_id}/previews", self.previews)
        return router

    async def preview(
        self, camera_id: str, at: _At, width: Literal["160", "320"] = "160"
    ) -> Response:
        """Return the picture of a moment; its header says the true time."""
        self._check(camera_id)
        async with self._admitted(), self._turn:
            made = await asyncio.to_thread(self._previews.at, camera_id, at, int(width))
        headers = {"x-picture-time": iso(made.at)} | _FRESH
        return Response(made.jpeg, media_type="image/jpeg", headers=headers)

    async def previews(
        self,
        request: Request,
        camera_id: str,
        start: _From,
        to: _At,
        count: _Count = MAX_PICTURES,
        width: Literal["160", "320"] = "160",
    ) -> Response:
        """Return a sheet: one picture for each part of the stretch in which something is recorded.

        A part whose footage is damaged has no picture.
        """
        self._check(camera_id)
        _check_stretch(start, to)
        async with self._admitted():
            pictures, complete = await self._pictures(
                request, camera_id, slots(start, to, count), int(width)
            )
        sheet = Sheet(camera_id, start, to, int(width), pictures, complete)
        return Response(sheet.body(), media_type="application/octet-stream", headers=_FRESH)

    async def _pictures(
        self, request: Request, camera_id: str, wanted: list[Slot], width_px: int
    ) -> tuple[list[Preview], bool]:
        """Return the pictures, and whether there was time for all; none for who has left."""
        until_ns = self._clock.monotonic_ns() + round(SHEET_S * 1e9)
        found: list[Preview] = []
        seen: set[datetime] = set()
        for slot in wanted:
            if self._clock.monotonic_ns() > until_ns or await request.is_disconnected():
                return found, False
            async with self._turn:
                made = await asyncio.to_thread(self._of_slot, camera_id, slot, width_px)
            if made is not None and made.at not in seen:
                seen.add(made.at)
                found.append(made)
        return found, True

    def _of_slot(self, camera_id: str, slot: Slot, width_px: int) -> Preview | None:
        try:
            return self._previews.of_slot(camera_id, slot, width_px)
        except (MediaError, NotFoundError):
            # Damaged, or deleted since it was looked up: the other parts have theirs.
            return None

    @contextlib.asynccontextmanager
    async def _admitted(self) -> AsyncIterator[None]:
        """Let a request in, or raise the Problem that too many are under way."""
        if self._under_way >= MAX_UNDER_WAY:
            raise Problem(
                503, "busy", "too many previews are asked for at once", "预览请求过多，请稍后再试"
            )
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if self._forgetting is not None:
                self._forgetting.cancel()
            loop = asyncio.get_running_loop()
            self._forgetting = loop.call_later(IDLE_S, self._previews.forget)

    def _check(self, camera_id: str) -> None:
        if camera_id not in self._cameras:
            raise NotFoundError(f"camera {camera_id}")


def _check_stretch(start: datetime, to: datetime) -> None:
    if start >= to:
        raise invalid("'from' must be before 'to'", "开始时间必须早于结束时间")
    if to - start > MAX_STRETCH:
        raise invalid("'from' to 'to' must be at most 7 days", "时间跨度最长 7 天")
