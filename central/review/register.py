"""The register of viewings (调阅登记, domain 6): who asked for which recorded video."""

import re
from collections.abc import Mapping
from datetime import datetime

from central.auth.sessions import Signed
from central.db.engine import Database
from central.db.models import Viewing
from central.errors import InvalidError
from protocol.clock import Clock

_RECORDED = re.compile(r"^cameras/(?P<camera>[a-z0-9_-]{1,32})/(?P<what>playlist\.m3u8|clip\.mp4)$")

_REASON_MAX = 200


class ViewingRegister:
    """Writes a row before the video goes out: no row, no video."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def enter(self, signed: Signed, box_id: str, path: str, query: Mapping[str, str]) -> None:
        """Enter a request for ``path`` of a box's own interface, if it is for recorded video.

        The parts of a playlist are not entered again. Raises InvalidError for times that are none.
        """
        found = _RECORDED.match(path)
        if found is None:
            return
        with self._database.write() as session:
            session.add(
                Viewing(
                    at=self._clock.now(),
                    username=signed.username,
                    person_id=signed.person.id if signed.person else None,
                    box_id=box_id,
                    camera_id=found["camera"],
                    what=found["what"].partition(".")[0],
                    start=_moment(query.get("from")),
                    end=_moment(query.get("to")),
                    reason=query.get("reason", "")[:_REASON_MAX],
                )
            )


def _moment(words: str | None) -> datetime | None:
    if not words:
        return None
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        raise InvalidError("'from' and 'to' must be ISO 8601 times with an offset") from None
    if moment.tzinfo is None:
        raise InvalidError("'from' and 'to' must be ISO 8601 times with an offset")
    return moment
