"""A box under measurement: its configuration, its own HTTP interface, somebody who watches."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from bench.peers import Source
from bench.program import Program
from bench.recording import Span
from protocol.messages import StreamState

_REGION = "330100100001"
_TIMEOUT_S = 10.0


class BoxError(Exception):
    """The box refused or does not answer."""


class BoxInterface:
    """The box's own HTTP interface at ``base_url``; every failure is a BoxError."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=_TIMEOUT_S, trust_env=False)

    def health(self) -> dict[str, Any]:
        """Return what every component says of itself."""
        return self._get("/v1/health")

    def streams_in(self, state: StreamState) -> int:
        """Return how many streams are in ``state``."""
        cameras = self._get("/v1/cameras")["cameras"]
        streams = (stream for camera in cameras for stream in camera["streams"])
        return sum(stream["state"] == state for stream in streams)

    def recorded(self, camera_id: str, window: Span) -> tuple[Span, ...]:
        """Return what is recorded in ``window``, the file that still grows with it."""
        query = {"from": window.start.isoformat(), "to": window.end.isoformat()}
        answer = self._get(f"/v1/cameras/{camera_id}/timeline", query)
        spans = [span_of(item) for item in answer["segments"]]
        if answer["growing"] is not None:
            spans.append(span_of(answer["growing"]))
        return tuple(spans)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = self._client.get(path, params=query)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise BoxError(f"{path}: {error!r}") from error
        return dict(answer.json())


def span_of(item: Mapping[str, Any]) -> Span:
    """Return the stretch in a JSON object of the interface."""
    return Span(datetime.fromisoformat(item["start"]), datetime.fromisoformat(item["end"]))


def is_live(edge: Program, box: BoxInterface, streams: int) -> bool:
    """Return whether so many streams are live; ProgramError where the edge has ended."""
    edge.check()
    try:
        return box.streams_in(StreamState.LIVE) == streams
    except BoxError:  # it is not listening yet
        return False


@dataclass(frozen=True, slots=True)
class BoxSettings:
    """What the configuration of a measured box says; it has no centre.

    One that does not watch only records: no sub-streams, no detector, no rules. ``calm_fps`` is the
    box's own default where it is None. People are looked for, and fire where ``fire`` says so.
    """

    folder: Path
    port: int
    sources: Sequence[Source]
    model: str = "auto"
    fps: float = 2.0
    watches: bool = True
    records: bool = True
    calm_fps: float | None = None
    fire: bool = False

    def write(self) -> Path:
        """Write the configuration and return its path."""
        lines = [
            "[box]",
            'id = "box-bench"',
            'name = "bench"',
            f'region_code = "{_REGION}"',
            'data_dir = "data"',
            "[http]",
            f"port = {self.port}",
            "[detect]",
            f"enabled = {str(self.watches).lower()}",
            f'model = "{self.model}"',
            f"fps = {self.fps}",
        ]
        if self.calm_fps is not None:
            lines.append(f"calm_fps = {self.calm_fps}")
        lines += ["[recording]", f"enabled = {str(self.records).lower()}"]
        for source in self.sources:
            lines += [
                "[[cameras]]",
                f'id = "{source.name}"',
                f'name = "{source.name}"',
                f'grid_code = "{_REGION}001"',
                f'main_url = "{source.main_url}"',
            ]
            if self.watches:
                lines += [f'sub_url = "{source.sub_url}"', "[[cameras.rules]]", 'id = "crowd"']
            if self.watches and self.fire:
                lines += ["[[cameras.rules]]", 'kind = "fire"', 'id = "fire"']
        path = self.folder / "edge.toml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


class Viewer:
    """Somebody who watches one stream: reads the viewer protocol and counts, in a thread."""

    def __init__(self, url: str) -> None:
        self.pictures = 0
        self.received_bytes = 0
        self.error: str | None = None
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="viewer", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        try:
            with connect(self._url, proxy=None, max_size=None, compression=None) as socket:
                while not self._stop.is_set():
                    try:
                        self._count(socket.recv(timeout=1.0))
                    except TimeoutError:
                        continue  # nothing came: the count shows it
        except (OSError, WebSocketException) as error:
            self.error = repr(error)

    def _count(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.pictures += 1
            self.received_bytes += len(message)
