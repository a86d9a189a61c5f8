"""One stream of a box as all its viewers at the centre share it."""

from dataclasses import dataclass, field

from protocol.messages import StreamState
from protocol.relay import LiveOpen, StreamName
from protocol.viewer import (
    Ended,
    Fragment,
    GroupCache,
    Opened,
    StateChanged,
    ViewerItem,
    ViewerQueue,
)


@dataclass(frozen=True, slots=True)
class StreamKey:
    """A stream of one box."""

    camera_id: str
    stream: StreamName


@dataclass(slots=True)
class LiveChannel:
    """One upstream channel, its viewers, and what a new viewer is shown at once.

    What viewers get is bounded by their own queues; the group of pictures by ``cache``.
    """

    number: int
    key: StreamKey
    cache: GroupCache[Fragment]
    viewers: set[ViewerQueue] = field(default_factory=set)
    state: StreamState | None = None
    opened: Opened | None = None
    opening: LiveOpen | None = None

    def join(self, viewer: ViewerQueue) -> None:
        """Add a viewer and give it the picture so far."""
        self.viewers.add(viewer)
        if self.state is not None:
            viewer.offer(StateChanged(self.state))
        if self.opened is not None:
            viewer.offer(self.opened)
            viewer.offer_group(self.cache.items)

    def state_came(self, state: StreamState) -> None:
        """Take the camera's state."""
        self.state = state
        self._tell(StateChanged(state))

    def open_came(self, opening: LiveOpen) -> None:
        """Take new parameters; their initialisation segment is the next thing to come."""
        self.opening = opening
        self.cache.clear()

    def init_came(self, data: bytes) -> None:
        """Take the initialisation segment of the parameters before it."""
        opening, self.opening = self.opening, None
        if opening is None:
            return
        self.opened = Opened(opening.mime, opening.generation, opening.width, opening.height, data)
        self._tell(self.opened)

    def fragment_came(self, fragment: Fragment) -> None:
        """Take one frame of video."""
        self.cache.add(fragment, is_key=fragment.is_key, size_bytes=len(fragment.data))
        self._tell(fragment)

    def end(self, reason: str, *, lost: bool) -> None:
        """Tell every viewer that nothing more comes, and that the camera is ``lost`` to us."""
        if lost:
            self._tell(StateChanged(StreamState.LOST))
        self._tell(Ended(reason))
        self.viewers.clear()

    def _tell(self, item: ViewerItem) -> None:
        for viewer in self.viewers:
            viewer.offer(item)
