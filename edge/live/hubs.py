"""All live hubs of the box."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from edge.errors import NotFoundError
from edge.live.hub import GROUP_BYTES, HubStats, LiveHub
from edge.ports import StreamStatus
from protocol.relay import StreamName

StreamKey = tuple[str, StreamName]


class LiveHubs:
    """One LiveHub a stream, and a StatusListener that tells their viewers of the camera's state.

    One thread at a time adds and drops streams; any may ask meanwhile.
    """

    def __init__(self, keys: Iterable[StreamKey], group_bytes: int = GROUP_BYTES) -> None:
        self._group_bytes = group_bytes
        self._hubs: Mapping[StreamKey, LiveHub] = {key: LiveHub(group_bytes) for key in keys}

    def add(self, key: StreamKey) -> LiveHub:
        """Return the hub of one stream more."""
        hub = LiveHub(self._group_bytes)
        self._hubs = {**self._hubs, key: hub}
        return hub

    def drop(self, key: StreamKey) -> None:
        """Forget a stream; after its viewers have ended (:meth:`close`)."""
        self._hubs = {each: hub for each, hub in self._hubs.items() if each != key}

    def hub(self, camera_id: str, stream: StreamName) -> LiveHub:
        """Return a stream's hub; the main stream's where the camera has no sub-stream.

        Raises NotFoundError where there is no such camera.
        """
        hub = self._hubs.get((camera_id, stream)) or self._hubs.get((camera_id, StreamName.MAIN))
        if hub is None:
            raise NotFoundError(f"camera {camera_id}")
        return hub

    def stream_changed(self, status: StreamStatus) -> None:
        """Take a stream's new state; the promise of StatusListener."""
        hub = self._hubs.get((status.camera_id, status.stream))
        if hub is not None:
            hub.state_changed(status.state)

    def last_sample_at(self, camera_id: str, stream: StreamName) -> datetime | None:
        """Return when a stream's newest sample was; for the StreamBoard."""
        hub = self._hubs.get((camera_id, stream))
        return None if hub is None else hub.last_sample_at()

    def stats(self) -> dict[StreamKey, HubStats]:
        """Return every hub's counters."""
        return {key: hub.stats() for key, hub in self._hubs.items()}

    def close(self) -> None:
        """End all viewers; idempotent. Call it in the event loop."""
        for hub in self._hubs.values():
            hub.close()

    def reopen(self) -> None:
        """Take viewers again after :meth:`close`; idempotent."""
        for hub in self._hubs.values():
            hub.reopen()
