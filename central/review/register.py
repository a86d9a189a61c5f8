"""The register of viewings (调阅登记, domain 6): who asked for which recorded video."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError
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

#: A sitting at the review page: so long a playlist goes on asking for its parts.
_PLAYLIST_COVERS = timedelta(hours=4)
#: Files asked for without a playlist are entered once in so long.
_SEGMENT_COVERS = timedelta(hours=1)

_REASON_MAX = 200
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


class ViewingRegister:
    """Writes a row before the video goes out: no row, no video."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def enter(self, signed: Signed, box_id: str, path: str, query: Mapping[str, str]) -> None:
        """Enter a request for ``path`` of a box's own interface, if it is for recorded video.

        A playlist's entry covers the files it names; without one a file's first request in an hour
        is entered. Raises InvalidError for times that are none.
        """
        found = _RECORDED.match(path)
        if found is not None:
            camera_id, what = found["camera"], found["what"].partition(".")[0]
            with self._database.write() as session:
                session.add(self._viewing(signed, box_id, camera_id, what, query))
        elif _FILE.match(path):
            self._enter_file(signed, box_id, query)

    def _enter_file(self, signed: Signed, box_id: str, query: Mapping[str, str]) -> None:
        with self._database.read() as session:
            if self._is_covered(session, signed, box_id):
                return
        with self._database.write() as session:
            # A player asks for many files at once: they take turns, and the first one is entered.
            session.get(Account, signed.username, with_for_update=True)
            if not self._is_covered(session, signed, box_id):
                # Which camera's it is, only the box knows.
                session.add(self._viewing(signed, box_id, "", "segment", query))

    def _is_covered(self, session: Session, signed: Signed, box_id: str) -> bool:
        now = self._clock.now()
        entries = session.execute(
            select(Viewing.what, Viewing.at).where(
                Viewing.at > now - _PLAYLIST_COVERS,
                Viewing.username == signed.username,
                Viewing.box_id == box_id,
            )
        )
        return any(
            what == "playlist" or (what == "segment" and at > now - _SEGMENT_COVERS)
            for what, at in entries
        )

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
            f"'from' and 'to' must be ISO 8601 times with an offset: {reason}"
        ) from None
