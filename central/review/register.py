"""The register of viewings (调阅登记, domain 6): who asked for which recorded video."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from central.auth.sessions import Signed
from central.db.engine import Database
from central.db.models import Account, Viewing
from central.errors import InvalidError
from central.http.given import Moment
from protocol.clock import Clock

_RECORDED = re.compile(r"^cameras/(?P<camera>[a-z0-9_-]{1,32})/(?P<what>playlist\.m3u8|clip\.mp4)$")
#: A file of the recording. Its number can be guessed, so it is let out to nobody unentered.
_FILE = re.compile(r"^segments/[^/]+\.mp4$")
#: A small picture of a moment, or a sheet of them: recorded video too.
_PREVIEW = re.compile(r"^cameras/(?P<camera>[a-z0-9_-]{1,32})/(?P<what>preview\.jpg|previews)$")

#: A result of an export that shows something; its manifest and its hashes don't.
_EXPORTED = re.compile(r"^exports/(?P<result>[^/]+/(?!manifest\.json$|SHA256SUMS$).+)$")

#: A sitting at the review page: so long a playlist goes on asking for its parts.
_PLAYLIST_COVERS = timedelta(hours=4)
#: Files asked for without a playlist are entered once in so long.
_SEGMENT_COVERS = timedelta(hours=1)
#: And previews; an entry covers those of its own camera and stretch, and so much around that.
_PREVIEW_COVERS = timedelta(hours=1)
_AROUND = timedelta(minutes=30)
#: A download that breaks is gone on with in ranges.
_EXPORTED_COVERS = timedelta(hours=1)

_REASON_MAX = 200
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


class _Export(BaseModel):
    """What the register wants to know of a request for an export."""

    camera_id: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
    start: str
    end: str
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class ViewingRegister:
    """Writes a row before the video goes out: no row, no video."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def enter(self, signed: Signed, box_id: str, path: str, query: Mapping[str, str]) -> None:
        """Enter a request for ``path`` of a box's own interface, if it is for recorded video.

        A playlist's entry covers the files it names; without one a file's first request in an hour
        is entered. It covers previews around its stretch too, and so does a preview's own entry. A
        result of an export is entered by its name, once in an hour.
        Raises InvalidError for times that are none.
        """
        found = _RECORDED.match(path)
        if found is not None:
            camera_id, what = found["camera"], found["what"].partition(".")[0]
            with self._database.write() as session:
                session.add(self._viewing(signed, box_id, camera_id, what, query))
        elif _FILE.match(path):
            # Which camera's it is, only the box knows.
            viewing = self._viewing(signed, box_id, "", "segment", query)
            self._enter_unless(self._covers_file, viewing)
        elif (found := _PREVIEW.match(path)) is not None:
            if found["what"] == "preview.jpg":  # a sheet has no moment, whatever the query says
                query = {
                    "from": query.get("at", ""),
                    "to": query.get("at", ""),
                    "reason": query.get("reason", ""),
                }
            viewing = self._viewing(signed, box_id, found["camera"], "preview", query)
            self._enter_unless(self._covers_preview, viewing)
        elif (found := _EXPORTED.match(path)) is not None:
            # Which camera's and for what reason, the entry of the export says; this one says which
            # export it is.
            query = {"reason": found["result"]}
            viewing = self._viewing(signed, box_id, "", "exported", query)
            self._enter_unless(self._covers_exported, viewing)

    def enter_export(self, signed: Signed, box_id: str, asked: bytes) -> None:
        """Enter that an export is asked for, with what the request says.

        Raises InvalidError where that is not all a register needs: what, from when to when, and
        what for.
        """
        try:
            export = _Export.model_validate_json(asked)
        except ValidationError as error:
            keys = ", ".join(".".join(map(str, each["loc"])) for each in error.errors())
            raise InvalidError(
                f"an export needs camera_id, start, end and reason: {keys}"
            ) from None
        query = {"from": export.start, "to": export.end, "reason": export.reason}
        with self._database.write() as session:
            session.add(self._viewing(signed, box_id, export.camera_id, "export", query))

    def _enter_unless(self, covers: Callable[[Viewing, Viewing], bool], asked: Viewing) -> None:
        with self._database.read() as session:
            if self._is_covered(session, covers, asked):
                return
        with self._database.write() as session:
            # A page asks for many things at once: they take turns, and the first one is entered.
            session.get(Account, asked.username, with_for_update=True)
            if not self._is_covered(session, covers, asked):
                session.add(asked)

    def _is_covered(
        self, session: Session, covers: Callable[[Viewing, Viewing], bool], asked: Viewing
    ) -> bool:
        entries = session.scalars(
            select(Viewing).where(
                Viewing.at > self._clock.now() - _PLAYLIST_COVERS,
                Viewing.username == asked.username,
                Viewing.box_id == asked.box_id,
            )
        )
        return any(covers(entry, asked) for entry in entries)

    def _covers_file(self, entry: Viewing, asked: Viewing) -> bool:
        return entry.what == "playlist" or (
            entry.what == "segment" and entry.at > asked.at - _SEGMENT_COVERS
        )

    def _covers_preview(self, entry: Viewing, asked: Viewing) -> bool:
        is_young = entry.what == "playlist" or (
            entry.what == "preview" and entry.at > asked.at - _PREVIEW_COVERS
        )
        if not is_young or entry.camera_id != asked.camera_id:
            return False
        if entry.start is None or entry.end is None or asked.start is None or asked.end is None:
            return False
        return entry.start - _AROUND <= asked.start and asked.end <= entry.end + _AROUND

    def _covers_exported(self, entry: Viewing, asked: Viewing) -> bool:
        is_young = entry.at > asked.at - _EXPORTED_COVERS
        return entry.what == "exported" and is_young and entry.reason == asked.reason

    def _viewing(
        self, signed: Signed, box_id: str, camera_id: str, what: str, query: Mapping[str, str]
    ) -> Viewing:
        return Viewing(
            at=self._clock.now(),
            username=signed.username,
            person_id=signed.person.id if signed.person else None,
            box_id=box_id,
            camera_id=camera_id,
            what=what,
            start=_moment(query.get("from")),
            end=_moment(query.get("to")),
            reason=query.get("reason", "")[:_REASON_MAX],
        )


def _moment(words: str | None) -> datetime | None:
    if not words:
        return None
    try:
        return _MOMENT.validate_strings(words)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise InvalidError(
            f"'from', 'to' and 'at' must be ISO 8601 times with an offset: {reason}"
        ) from None
