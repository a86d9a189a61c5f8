"""Answers of the box's own HTTP interface, for the relay."""

import asyncio
import logging
from collections.abc import Callable

import httpx

from edge.uplink.outgoing import FileQueue

log = logging.getLogger(__name__)

#: More at once would take the disk from the recorder.
_AT_ONCE = 4

_STALL_S = 300.0
_TIMEOUT = httpx.Timeout(10.0, read=120.0)  # a clip is cut before its first byte comes

_HEADERS = (
    "accept-ranges",
    "cache-control",
    "content-disposition",
    "content-length",
    "content-range",
    "content-type",
    "etag",
    "last-modified",
    "x-clip-end",
    "x-clip-start",
    "x-picture-time",
)


class EdgeReader:
    """Fetches from the box's own interface over loopback.

    Four requests are begun at a time, others wait: beginning is what costs (a clip is cut, the
    index is read). A paused reader holds none of those four, and is let go after five minutes.

    ``edge_url`` is asked for each time: the server may listen on a port of the system's choice.
    """

    def __init__(self, edge_url: Callable[[], str]) -> None:
        self._edge_url = edge_url
        self._turn = asyncio.Semaphore(_AT_ONCE)
        # No proxy, no cookies of the environment: it is our own loopback address.
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT,
            trust_env=False,
            limits=httpx.Limits(max_keepalive_connections=_AT_ONCE),
        )

    async def fetch(self, path: str, byte_range: str | None, queue: FileQueue) -> None:
        """Put the answer to a GET of ``path`` into ``queue``, to its end, good or bad."""
        reason: str | None = None
        try:
            await self._fetch(path, byte_range, queue)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            log.warning("uplink.fetch_failed", extra={"error": repr(error)})
            reason = "box_failed"
        except TimeoutError:
            reason = "reader_stalled"
        queue.end(reason)

    async def _fetch(self, path: str, byte_range: str | None, queue: FileQueue) -> None:
        headers = {"accept-encoding": "identity"}
        if byte_range is not None:
            headers["range"] = byte_range
        request = self._client.build_request("GET", self._edge_url() + path, headers=headers)
        async with self._turn:
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
