"""A browser that follows the centre's feed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx

from tests.support.web_centre import WebCentre
from tests.support.xiacun import alert_data, alert_message, received


@dataclass
class SseEvent:
    event: str
    id: str
    data: dict


class Stream:
    """One browser's connection to the feed."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def rest(self) -> Iterator[str]:
        """Return the lines until the stream ends by itself."""
        return self._lines

    def next(self) -> SseEvent:
        """Return the next event; the client's timeout fails the test where none comes."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and fields:
                return SseEvent(fields["event"], fields["id"], json.loads(fields["data"]))
            if line and not line.startswith(":"):
                key, _, value = line.partition(": ")
                fields[key] = value
        raise AssertionError("the stream ended")


@contextmanager
def listening(client: httpx.Client, cursor: str, header: bool = False) -> Iterator[Stream]:
    where = {"headers": {"last-event-id": cursor}} if header else {"params": {"cursor": cursor}}
    with client.stream("GET", "/feed", timeout=20, **where) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Stream(response)


def raise_alert(centre: WebCentre, sequence: int) -> str:
    new = uuid4()
    centre.take(received(alert_message(alert_data(new), sequence)))
    return str(new)
