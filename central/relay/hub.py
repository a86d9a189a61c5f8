"""Boxes that have dialled in, and what they are asked for."""

import logging

from pydantic import TypeAdapter, ValidationError

from central.errors import BoxUnreachableError, BoxUnsureError, InvalidError, NotFoundError
from central.relay.channel import StreamKey
from central.relay.link import BoxLink, BoxSocket, RelayLimits
from central.relay.transfer import Answer, Transfer
from protocol.ids import LOCAL_ID
from protocol.relay import (
    MAX_ASK_BYTES,
    MAX_RANGE_CHARS,
    AskMethod,
    EdgePath,
    StreamName,
)
from protocol.viewing import Viewer

log = logging.getLogger(__name__)

_EDGE_PATH = TypeAdapter(EdgePath)


class RelayHub:
    """Live video and files from boxes that only dial out.

    Lives in the event loop of the web process. A box has one connection: the newest; an older one
    is closed, its viewers told to come again. Viewers of one stream share one upstream channel.
    """

    def __init__(self, limits: RelayLimits | None = None) -> None:
        self._limits = limits or RelayLimits()
        self._links: dict[str, BoxLink] = {}
        self._closed = False

    def connected(self, box_id: str) -> bool:
        """Return whether the box has a connection now."""
        return box_id in self._links

    def viewers(self) -> dict[str, int]:
        """Return the number of viewers of each connected box."""
        return {box_id: link.viewers for box_id, link in self._links.items()}

    async def serve(self, box_id: str, socket: BoxSocket, *, asks: bool = False) -> None:
        """Serve an accepted connection of a box that proved who it is, until it ends.

        ``asks``: the box said that it knows ``ask.start``.
        """
        link = BoxLink(box_id, socket, self._limits, asks=asks)
        older = self._links.get(box_id)
        if older is not None:
            older.close("box_dialled_again")
        self._links[box_id] = link
        if self._closed:
            link.close("centre_closing")
        log.info("relay.box_came", extra={"box_id": box_id, "replaced": older is not None})
        try:
            await link.run()
        finally:
            if self._links.get(box_id) is link:
                del self._links[box_id]
            log.info("relay.box_left", extra={"box_id": box_id})

    async def open_live(self, box_id: str, camera_id: str, stream: StreamName) -> Viewer:
        """Return a viewer of a box's stream; close it when done.

        Raises BoxUnreachableError where the box is not connected, NotFoundError where no camera
        can have that id.
        """
        if not LOCAL_ID.match(camera_id):
            raise NotFoundError("no such camera")
        return self._link(box_id).watch(StreamKey(camera_id, stream))

    async def get(self, box_id: str, path: str, byte_range: str | None = None) -> Answer:
        """Return a box's answer to a GET of ``path`` (escaped, below ``/v1/``, with its query).

        Raises BoxUnreachableError where the box is not connected or gives no answer, NotFoundError
        where the path is not one that may be asked for.
        """
        path = _checked(path)
        if byte_range is not None and len(byte_range) > MAX_RANGE_CHARS:
            byte_range = None  # RFC 9110, 14.2: a server may always ignore Range
        return await _answer(self._link(box_id).fetch(path, byte_range), self._limits.head_s)

    async def ask(self, box_id: str, method: AskMethod, path: str, body: str, actor: str) -> Answer:
        """Have a box do something, in ``actor``'s name (an Actor), and return its answer.

        ``path`` as for :meth:`get`; ``body`` is JSON text or empty. It is sent once: a connection
        that breaks, or an answer that does not come, raises BoxUnsureError: nobody knows whether it
        was done. Raises BoxUnreachableError, with nothing done, where the box is not connected;
        BoxTooOldError where it can't do it, NotFoundError where the path is not one
        that may be asked for, InvalidError where the body is too long.
        """
        path = _checked(path)
        if len(body.encode()) > MAX_ASK_BYTES:
            raise InvalidError(f"the body may have at most {MAX_ASK_BYTES} bytes")
        transfer = self._link(box_id).ask(method, path, body, actor)
        try:
            return await _answer(transfer, self._limits.ask_s)
        except BoxUnreachableError as error:
            raise BoxUnsureError(
                f"{error}; whether it was done is not known: look before you ask again"
            ) from error

    async def aclose(self) -> None:
        """End all connections, viewers and transfers; idempotent. New boxes are turned away."""
        self._closed = True
        for link in tuple(self._links.values()):
            link.close("centre_closing")

    def _link(self, box_id: str) -> BoxLink:
        link = self._links.get(box_id)
        if link is None:
            raise BoxUnreachableError(f"box {box_id} is not connected")
        return link


def _checked(path: str) -> str:
    try:
        return _EDGE_PATH.validate_python(path)
    except ValidationError as error:
        raise NotFoundError("no such path") from error


async def _answer(transfer: Transfer, timeout_s: float) -> Answer:
    """Return the answer once its head has come; the transfer is closed where none does."""
    try:
        head = await transfer.head(timeout_s)
    except BaseException:
        transfer.close()
        raise
    return Answer(head.status, head.headers, transfer)
