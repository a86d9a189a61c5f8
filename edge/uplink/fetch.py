"""Answers of the box's own HTTP interface, for the relay."""

import asyncio
import logging
from collections.abc import Callable

import httpx

from edge.uplink.outgoing import FileQueue
from protocol.actor import ACTOR_HEADER, to_header
from protocol.relay import ANSWER_HEADERS, AskStart, GetStart

log = logging.getLogger(__name__)

#: More at once would take the disk from the recorder.
_AT_ONCE = 4

_STALL_S = 300.0
_TIMEOUT = httpx.Timeout(10.0, read=120.0)  # a clip is cut before its first byte comes

_HEADERS = ("content-type", *ANSWER_HEADERS)


_Request = Callable[[], httpx.Request]


class EdgeReader:
    """Fetches from the box's own interface over loopback.

    Four requests are begun at a time, others wait: beginning is what costs (a clip is cut, the
    index is read). A paused reader holds none of those four, and is let go after five minutes.
    What changes something has turns of its own, or a person would wait for a clip to be cut.

    ``edge_url`` is asked for each time: the server may listen on a port of the system's choice.
    """

    def __init__(self, edge_url: Callable[[], str]) -> None:
        self._edge_url = edge_url
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._ask_turn = asyncio.Semaphore(_AT_ONCE)
        # No proxy, no cookies of the environment: it is our own loopback address.
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=_AT_ONCE),
        )

    async def fetch(self, start: GetStart, queue: FileQueue) -> None:
        """Put the answer to a GET into ``queue``, to its end, good or bad."""
        headers = {} if start.range is None else {"range": start.range}
        request = self._request("GET", start.path, headers)
        await self._answer(request, self._turn, queue)

    async def ask(self, start: AskStart, queue: FileQueue) -> None:
        """Send it on, once, in its actor's name; put the answer into ``queue``, to its end.

        A failure is the end of it (``box_failed``): it may have been done, so it isn't repeated.
        """
        headers = {"content-type": "application/json", ACTOR_HEADER: to_header(start.actor)}
        request = self._request(start.method.value, start.path, headers, start.body.encode())
        await self._answer(request, self._ask_turn, queue)

    def _request(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> _Request:
        """Return how to build it; an address that is none shows when it is built."""
        return lambda: self._client.build_request(
            method,
            self._edge_url() + path,
            headers=headers | {"accept-encoding": "identity"},
            content=body,
        )

    async def _answer(self, build: _Request, turn: asyncio.Semaphore, queue: FileQueue) -> None:
        reason: str | None = None
        try:
            await self._pass_on(build(), turn, queue)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            log.warning("uplink.fetch_failed", extra={"error": repr(error)})
            reason = "box_failed"
        except TimeoutError:
            reason = "reader_stalled"
        queue.end(reason)

    async def _pass_on(
        self, request: httpx.Request, turn: asyncio.Semaphore, queue: FileQueue
    ) -> None:
        async with turn:
            response = await self._client.send(request, stream=True)
        try:
            queue.head(
                response.status_code,
                {name: response.headers[name] for name in _HEADERS if name in response.headers},
            )
            async for data in response.aiter_raw():
                async with asyncio.timeout(_STALL_S):
                    await queue.put(data)
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Close the connections to the interface."""
        await self._client.aclose()
