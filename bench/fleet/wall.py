"""A wall that listens: when each alert is seen there."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import httpx

from protocol.clock import Clock

_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert as the wall first heard of it, and when."""

    alert_id: str
    started_at: datetime
    seen_at: datetime

    @property
    def ms(self) -> float:
        """How long it took since it began, in milliseconds."""
        return (self.seen_at - self.started_at).total_seconds() * 1000


class Wall:
    """Signed in at ``base_url`` and listening to the feed, in a thread of its own; a context."""

    def __init__(self, base_url: str, username: str, password: str, clock: Clock) -> None:
        self._client = httpx.Client(
            base_url=f"{base_url}/api/v1",
            headers={"Origin": base_url},
            timeout=_TIMEOUT_S,
            trust_env=False,
        )
        self._credentials = {"username": username, "password": password}
        self._clock = clock
        self._shown: dict[str, Shown] = {}
        self._error: httpx.HTTPError | None = None
        self._listens = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="wall", daemon=True)

    def __enter__(self) -> Self:
        """Sign in and begin to listen. Raises httpx.HTTPError."""
        self._client.post("/session", json=self._credentials).raise_for_status()
        self._thread.start()
        if not self._listens.wait(_TIMEOUT_S):
            raise httpx.ReadTimeout("the feed does not begin")
        return self

    def __exit__(self, *_: object) -> None:
        """Listen no more."""
        self._closing.set()
        self._client.close()
        self._thread.join()

    def shown(self) -> tuple[Shown, ...]:
        """Return the alerts that were seen, in order. Raises HTTPError once the feed broke."""
        if self._error is not None:
            raise self._error
        return tuple(self._shown.values())

    def _listen(self) -> None:
        try:
            with self._client.stream("GET", "/feed") as answer:
                answer.raise_for_status()
                self._listens.set()
                for shown in first_shown(answer.iter_lines(), self._clock.now):
                    self._shown[shown.alert_id] = shown
        except httpx.HTTPError as error:
            if not self._closing.is_set():
                self._error = error


def first_shown(lines: Iterable[str], now: Callable[[], datetime]) -> Iterator[Shown]:
    """Yield each alert of a feed as it is first told, while it goes on. Pure but for the clock."""
    known: set[str] = set()
    kind = ""
    for line in lines:
        name, _, value = line.partition(":")
        if name == "event":
            kind = value.strip()
        elif name == "data" and kind == "alert":
            seen_at = now()
            alert = json.loads(value)
            if alert["id"] not in known:
                known.add(alert["id"])
                if alert["ended_at"] is None:
                    started_at = datetime.fromisoformat(alert["started_at"])
                    yield Shown(alert["id"], started_at, seen_at)
