"""Clips cut on request: made in a scratch folder, sent, and gone."""

import asyncio
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from edge.errors import StorageError
from edge.ports import Clipper
from protocol.relay import StreamName

log = logging.getLogger(__name__)

#: Cutting reads and writes a disk that is also recorded to.
_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class CutClip:
    """A clip in the scratch folder and its true bounds; whoever has it unlinks ``path``."""

    path: Path
    start: datetime
    end: datetime


class ClipShelf:
    """Cuts clips into ``scratch``, two at a time; others wait."""

    def __init__(self, clipper: Clipper, scratch: Path) -> None:
        self._clipper = clipper
        self._scratch = scratch
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def sweep(self) -> None:
        """Remove what a process that was killed has left. Never raises.

        A disk that refuses is met by the next clip, and keeps no box from starting (recording I5).
        """
        shutil.rmtree(self._scratch, ignore_errors=True)

    async def cut(
        self, camera_id: str, start: datetime, end: datetime, stream: StreamName
    ) -> CutClip:
        """Return a new clip.

        Raises what Clipper.clip raises, with nothing left behind, and StorageError.
        """
        target = self._scratch / f"{uuid4().hex}.mp4"
        async with self._turn:
            try:
                self._scratch.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StorageError(f"{self._scratch}: {error.strerror}") from error
            try:
                bounds = await asyncio.to_thread(
                    self._clipper.clip, camera_id, start, end, target, stream
                )
            except BaseException:
                target.unlink(missing_ok=True)
                raise
        return CutClip(target, *bounds)


class ClipResponse(FileResponse):
    """A file that is deleted once it was sent, or was not."""

    def __init__(self, clip: CutClip, headers: Mapping[str, str]) -> None:
        # Without a name: a page's own one, in people's words, would count for nothing beside it.
        named = {"content-disposition": "attachment", **headers}
        super().__init__(clip.path, media_type="video/mp4", headers=named)
        self._clip = clip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._clip.path.unlink(missing_ok=True)
