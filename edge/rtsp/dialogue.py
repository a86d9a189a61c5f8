"""What a client and a camera say to each other before the camera plays, and while it does. Pure.

::

    OPTIONS -> DESCRIBE -> SETUP -> PLAY -> plays

Only the video is set up, on channels of the connection itself (RTP over TCP): sound is not pulled
at all. A refusal is answered once with the password; a camera that minds being asked for its
OPTIONS is asked for the rest all the same. Source: RFC 2326.
"""

import re

from edge.errors import (
    RtspError,
    StreamByUdp,
    StreamError,
    StreamMissing,
    StreamRefused,
    StreamUnsuited,
)
from edge.rtsp.challenge import Authoriser
from edge.rtsp.message import Message, request
from edge.rtsp.sdp import VideoTrack, video_track

_UNAUTHORISED, _FORBIDDEN, _UNSUPPORTED_TRANSPORT = 401, 403, 461
_OK, _REDIRECT, _CLIENT_ERROR, _SERVER_ERROR = 200, 300, 400, 500

#: How long a session lives without a word, where the camera does not say (12.37), and the bounds of
#: what is believed.
_SESSION_S = 60
_SHORTEST_SESSION_S, _LONGEST_SESSION_S = 10, 120


class Dialogue:
    """One session with one camera. Send what it returns; give it each answer.

    ``track`` and ``channel`` are known, and :attr:`plays` is set, once the camera plays.
    """

    def __init__(self, url: str, authoriser: Authoriser) -> None:
        self._url = url
        self._base_url = url
        self._authoriser = authoriser
        self._cseq = 0
        self._method = ""
        self._asked_url = url
        self._headers: dict[str, str] = {}
        self._session = ""
        self._can_get_parameter = False
        self._track: VideoTrack | None = None
        self.channel = 0
        self.session_s = _SESSION_S
        self.plays = False

    @property
    def track(self) -> VideoTrack:
        """The track that is set up; only after the camera has described itself."""
        assert self._track is not None
        return self._track

    def begin(self) -> bytes:
        """Return the first request."""
        return self._ask("OPTIONS", self._url)

    def answer(self, message: Message) -> bytes:
        """Take the answer to the last request; return the next one, empty once the camera plays.

        Raises StreamRefused for a wrong password, StreamMissing where there is no such stream,
        StreamUnsuited for what only another reader can do (StreamByUdp where that has to be by
        UDP), RtspError for nonsense, else StreamError.
        """
        if message.status == _UNAUTHORISED:
            if not self._authoriser.take(message.all("www-authenticate")):
                raise StreamRefused(_said(message))
            return self._ask(self._method, self._asked_url)
        if self._method != "OPTIONS":
            _check(message)
        match self._method:
            case "OPTIONS":
                self._can_get_parameter = "GET_PARAMETER" in (message.header("public") or "")
                return self._ask("DESCRIBE", self._url, {"Accept": "application/sdp"})
            case "DESCRIBE":
                return self._set_up(message)
            case "SETUP":
                return self._play(message)
            case _:
                self.plays = True
                return b""

    def keep_alive(self) -> bytes:
        """Return a request that only says that we are still here; its answer does not matter."""
        method = "GET_PARAMETER" if self._can_get_parameter else "OPTIONS"
        return self._ask(method, self.track.aggregate_url)

    def renew(self, message: Message) -> None:
        """Take an answer to :meth:`keep_alive`: the next one may need a newer nonce."""
        if message.status == _UNAUTHORISED:
            self._authoriser.take(message.all("www-authenticate"))

    def tear_down(self) -> bytes:
        """Return the request that ends the session."""
        return self._ask("TEARDOWN", self.track.aggregate_url)

    def _set_up(self, message: Message) -> bytes:
        base_url = message.header("content-base") or message.header("content-location")
        if base_url and re.match(r"rtsps?://", base_url, re.IGNORECASE):
            self._base_url = base_url
        self._track = video_track(message.body, self._base_url)
        transport = "RTP/AVP/TCP;unicast;interleaved=0-1"
        return self._ask("SETUP", self._track.url, {"Transport": transport})

    def _play(self, message: Message) -> bytes:
        transport = message.header("transport") or ""
        channels = re.search(r"interleaved\s*=\s*(\d{1,3})", transport)
        if channels is None or int(channels[1]) > 254:  # noqa: PLR2004 - one more is RTCP's
            raise StreamByUdp("the camera does not send its video by the same connection")
        self.channel = int(channels[1])
        self._session, _, parameters = (message.header("session") or "").partition(";")
        timeout = re.search(r"timeout\s*=\s*(\d{1,6})", parameters)
        if timeout is not None:
            self.session_s = min(max(int(timeout[1]), _SHORTEST_SESSION_S), _LONGEST_SESSION_S)
        return self._ask("PLAY", self.track.aggregate_url, {"Range": "npt=0.000-"})

    def _ask(self, method: str, url: str, headers: dict[str, str] | None = None) -> bytes:
        if headers is None:
            headers = self._headers if (method, url) == (self._method, self._asked_url) else {}
        self._method, self._asked_url, self._headers = method, url, headers
        self._cseq += 1
        sent = dict(headers)
        if self._session:
            sent["Session"] = self._session.strip()
        authorisation = self._authoriser.header(method, url)
        if authorisation is not None:
            sent["Authorization"] = authorisation
        return request(method, url, self._cseq, sent)


def _check(message: Message) -> None:
    """Raise what an answer that is no success means."""
    status, said = message.status, _said(message)
    if _OK <= status < _REDIRECT:
        return
    if status == _FORBIDDEN:
        raise StreamRefused(said)
    if status == _UNSUPPORTED_TRANSPORT:
        raise StreamByUdp(said)
    if _REDIRECT <= status < _CLIENT_ERROR:
        raise StreamUnsuited(said)
    if _CLIENT_ERROR <= status < _SERVER_ERROR:
        raise StreamMissing(said)
    if status < _OK:
        raise RtspError(f"an answer of status {status}")
    raise StreamError(said)


def _said(message: Message) -> str:
    """Return a camera's own words, as far as they can be shown."""
    words = "".join(each for each in message.reason if each.isprintable())[:80]
    return f"the camera answers {message.status} {words}".rstrip()
