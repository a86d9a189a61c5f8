"""What is asked of one camera, one question at a time: signed in its time, every answer judged."""

import copy
import logging
import secrets
import threading
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from edge.cameras import camera_clock, soap
from edge.cameras.camera_clock import MAX_AHEAD, CameraClock
from edge.cameras.door import Door
from edge.cameras.transport import Answer, Limits, Transport
from edge.errors import (
    CameraBlocked,
    CameraError,
    CameraLoginRefused,
    CameraUnsupported,
)
from edge.rtsp.challenge import Credentials
from protocol.clock import Clock

log = logging.getLogger(__name__)

_NONCE_BYTES = 16
#: Below this a camera's clock is as good as ours: it tells whole seconds.
_SAME = timedelta(seconds=2)
#: A refused login is tried once more only where the camera's clock was set meanwhile.
_MOVED = timedelta(seconds=5)

_Send = Callable[[bytes], Answer]


class Session:
    """The conversation with a camera; safe for threads: one asks, the others wait.

    After one refused login nothing signed is sent again (cameras I3): whoever has other credentials
    makes another session. ``may_be_ahead``: the operator consents to tokens for a camera whose
    clock is more than a day ahead (cameras I5).
    """

    def __init__(
        self,
        door: Door,
        login: Credentials | None,
        clock: Clock,
        limits: Limits,
        *,
        may_be_ahead: bool = False,
    ) -> None:
        self._door = door
        self._login = login
        self._clock = clock
        self._may_be_ahead = may_be_ahead
        self._transport = Transport(door, login, clock, limits)
        self._lock = threading.RLock()
        # A long poll keeps no other question waiting: it has a turn of its own.
        self._poll_lock = threading.Lock()
        self._refused: str | None = None
        self._read: CameraClock | None = None

    @property
    def door(self) -> Door:
        """Where the camera is asked."""
        return self._door

    def ask(self, url: str, envelope: soap.Element, action: str) -> tuple[soap.Element, Answer]:
        """Send an envelope, signed; return the first element of the answer's body, and the answer.

        Raises CameraError.
        """

        def send(data: bytes) -> Answer:
            return self._transport.post(url, data, action, signed=True, wait_s=0.0)

        with self._lock:
            return self._tried(envelope, send)

    def poll(self, url: str, envelope: soap.Element, action: str, wait_s: float) -> soap.Element:
        """Ask what the camera may take ``wait_s`` to answer, and return as :meth:`ask` does."""

        def send(data: bytes) -> Answer:
            return self._transport.post(url, data, action, signed=True, wait_s=wait_s)

        with self._poll_lock:
            return self._tried(envelope, send)[0]

    def fetch(self, url: str) -> Answer:
        """Fetch a picture. Raises CameraError; a login that is refused here ends nothing else."""
        with self._lock:
            self._check_not_refused()
            answer = self._transport.get(url)
        if answer.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise CameraLoginRefused(f"pictures have another login: HTTP {answer.status}")
        if answer.status != HTTPStatus.OK or not answer.media_type.startswith("image/"):
            raise CameraUnsupported(f"no picture: HTTP {answer.status}, {answer.media_type[:40]}")
        return answer

    def clock(self, *, anew: bool = False) -> CameraClock:
        """Return the camera's clock as it was read first, or ``anew``; without a login.

        It is asked by ONVIF, and where the camera wants a login even for that, by the Date header
        of its refusal. Raises CameraError where the camera does not answer at all.
        """
        with self._lock:
            if self._read is None or anew:
                self._read = self._clock_read()
            return self._read

    def _clock_read(self) -> CameraClock:
        action = f"{soap.DEVICE}/GetSystemDateAndTime"
        question = soap.written(soap.question(soap.DEVICE, "GetSystemDateAndTime"))
        answer = self._transport.post(self._door.url, question, action, signed=False, wait_s=0.0)
        now = self._clock.now()
        try:
            body = soap.checked(answer.status, answer.body)
            return camera_clock.from_answer(body, now)
        except CameraBlocked:
            raise
        except CameraError as error:
            read = camera_clock.from_date_header(answer.date, now)
            log.info("camera.clock", extra={"source": read.source.value, "why": str(error)})
            return read

    def _tried(self, envelope: soap.Element, send: _Send) -> tuple[soap.Element, Answer]:
        """Ask once; and once more only where the camera's clock was set since it was read."""
        try:
            return self._sent(envelope, send)
        except CameraLoginRefused as error:
            if self._login is None:
                raise
            with self._lock:
                self._check_not_refused()
                before = self.clock()
                if abs(self.clock(anew=True).offset - before.offset) <= _MOVED:
                    self._refused = str(error)
                    raise
        try:
            return self._sent(envelope, send)
        except CameraLoginRefused as error:
            with self._lock:
                self._refused = str(error)
            raise

    def _sent(self, envelope: soap.Element, send: _Send) -> tuple[soap.Element, Answer]:
        signed = copy.deepcopy(envelope)
        if self._login is not None:
            with self._lock:
                self._check_not_refused()
                soap.sign(signed, self._login, self._token())
        answer = send(soap.written(signed))
        return soap.checked(answer.status, answer.body), answer

    def _token(self) -> soap.Token:
        offset = self.clock().offset
        if offset > MAX_AHEAD and not self._may_be_ahead:
            raise CameraBlocked(
                f"the camera's clock is {offset.days} days ahead: a token for then would be good "
                "for whoever asks the camera later"
            )
        if abs(offset) <= _SAME:
            offset = timedelta(0)
        return soap.Token(secrets.token_bytes(_NONCE_BYTES), self._clock.now() + offset)

    def _check_not_refused(self) -> None:
        if self._refused is not None:
            raise CameraLoginRefused(f"not tried again: {self._refused}")
