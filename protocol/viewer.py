"""The viewer protocol, box and centre alike: what a viewer is sent and how a slow one is treated.

Server to viewer only: JSON text frames (``live.open``, ``live.state``, ``end``) and binary frames
(the initialisation segment after each ``live.open``, then one fragment a frame). Everything here is
plain values and bookkeeping: who calls it decides about threads and sockets.
"""

import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from protocol.messages import StreamState

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Opened:
    """A stream's parameters, new or changed; ``init`` is its initialisation segment."""

    mime: str
    generation: int
    width: int
    height: int
    init: bytes


@dataclass(frozen=True, slots=True)
class StateChanged:
    """The camera came or went."""

    state: StreamState


@dataclass(frozen=True, slots=True)
class Fragment:
    """One frame of video: moof and mdat."""

    is_key: bool
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more comes; ``reason`` is a short word for the log and the player."""

    reason: str


ViewerItem = Opened | StateChanged | Fragment | Ended


def wire(item: ViewerItem) -> tuple[str | bytes, ...]:
    """Return the WebSocket frames that tell a viewer of ``item``, text as str."""
    match item:
        case Fragment(data=data):
            return (data,)
        case Opened():
            head = {
                "op": "live.open",
                "mime": item.mime,
                "generation": item.generation,
                "width": item.width,
                "height": item.height,
            }
            return (json.dumps(head), item.init)
        case StateChanged(state=state):
            return (json.dumps({"op": "live.state", "state": state.value}),)
        case Ended(reason=reason):
            return (json.dumps({"op": "end", "reason": reason}),)


class ViewerQueue:
    """What one viewer has still to be sent. Not thread-safe: its owner calls it in turn.

    Bounded by ``limit_bytes`` of video. Overflow: all queued video goes and the viewer continues
    with the next key frame; every fragment lost that way is counted in ``dropped``. A key frame is
    taken into an empty queue whatever its size. What a viewer is given is always decodable: video
    begins with a key frame after each ``Opened`` and after each drop. A new ``Opened`` replaces
    what is queued of the old stream; of several states only the newest waits.

    ``on_ready`` is called, at once and in the caller's thread, whenever something was put in.
    """

    def __init__(self, limit_bytes: int, on_ready: Callable[[], None]) -> None:
        self._limit_bytes = limit_bytes
        self._on_ready = on_ready
        self._items: deque[ViewerItem] = deque()
        self._needs_key = True
        self._overflowed = False
        self._ended = False
        self.size_bytes = 0
        self.dropped = 0

    @property
    def ended(self) -> bool:
        """Whether ``Ended`` was offered; nothing is taken after it."""
        return self._ended

    def __len__(self) -> int:
        return len(self._items)

    def offer(self, item: ViewerItem) -> None:
        """Take ``item``, or drop it by the policy above."""
        if self._ended:
            return
        match item:
            case Fragment():
                taken = self._offer_fragment(item)
            case Opened():
                self._keep(StateChanged)
                self._needs_key, self._overflowed = True, False
                taken = self._append(item)
            case StateChanged():
                self._keep(Opened, Fragment)
                taken = self._append(item)
            case Ended():
                self._ended = True
                taken = self._append(item)
        if taken:
            self._on_ready()

    def offer_group(self, group: Iterable[Fragment]) -> None:
        """Take a cached group of pictures whole, or, where it is over the limit, none of it."""
        fragments = tuple(group)
        if self.size_bytes + sum(len(fragment.data) for fragment in fragments) <= self._limit_bytes:
            for fragment in fragments:
                self.offer(fragment)

    def skip_to_key(self) -> None:
        """Drop the queued video: a frame before the next one offered was lost on the way here."""
        self.dropped += sum(isinstance(item, Fragment) for item in self._items)
        self._keep(Opened, StateChanged, Ended)
        self._needs_key = self._overflowed = True

    def pop(self) -> ViewerItem | None:
        """Return the next item to send, or None where there is none."""
        if not self._items:
            return None
        item = self._items.popleft()
        if isinstance(item, Fragment):
            self.size_bytes -= len(item.data)
        return item

    def _offer_fragment(self, fragment: Fragment) -> bool:
        if self._needs_key and not fragment.is_key:
            self.dropped += self._overflowed
            return False
        if self.size_bytes and self.size_bytes + len(fragment.data) > self._limit_bytes:
            self.skip_to_key()
            if not fragment.is_key:
                self.dropped += 1
                return False
        self._needs_key = self._overflowed = False
        self.size_bytes += len(fragment.data)
        return self._append(fragment)

    def _append(self, item: ViewerItem) -> bool:
        self._items.append(item)
        return True

    def _keep(self, *kinds: type) -> None:
        self._items = deque(item for item in self._items if isinstance(item, kinds))
        self.size_bytes = sum(len(item.data) for item in self._items if isinstance(item, Fragment))


class GroupCache(Generic[T]):
    """The current group of pictures, so that a new viewer sees something at once.

    Bounded by ``limit_bytes``. Overflow: the group is dropped, counted in ``overflows``, and the
    cache stays empty until the next key frame (cameras with groups of minutes exist).
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._items: list[T] = []
        self.size_bytes = 0
        self.overflows = 0

    @property
    def items(self) -> tuple[T, ...]:
        """The group so far: empty, or beginning with a key frame and without a hole."""
        return tuple(self._items)

    def add(self, item: T, *, is_key: bool, size_bytes: int) -> None:
        """Take the stream's next frame."""
        if is_key:
            self.clear()
        elif not self._items:
            return
        if self.size_bytes + size_bytes > self._limit_bytes:
            self.clear()
            self.overflows += 1
            return
        self._items.append(item)
        self.size_bytes += size_bytes

    def clear(self) -> None:
        """Forget the group: what follows does not continue it."""
        self._items = []
        self.size_bytes = 0
