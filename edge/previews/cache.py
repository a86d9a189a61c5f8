"""Pictures that were made, for a while. Pure."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """Which picture: the key frame at ``offset`` of a recorded file, ``width_px`` wide."""

    path: Path
    offset: int
    width_px: int


class PreviewCache:
    """Keeps JPEGs up to ``max_bytes`` in memory; what was used longest ago goes first.

    It knows nothing of what is still recorded: who asks it has looked that up (recording I18).
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pictures: OrderedDict[Place, bytes] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._pictures)

    def get(self, place: Place) -> bytes | None:
        """Return a picture, or None."""
        jpeg = self._pictures.get(place)
        if jpeg is not None:
            self._pictures.move_to_end(place)
        return jpeg

    def put(self, place: Place, jpeg: bytes) -> None:
        """Keep a picture; one that is larger than all the room is not kept."""
        self._remove(place)
        if len(jpeg) > self._max_bytes:
            return
        self._pictures[place] = jpeg
        self.size_bytes += len(jpeg)
        while self.size_bytes > self._max_bytes:
            self._remove(next(iter(self._pictures)))

    def keep_only(self, stands: Callable[[Path], bool]) -> None:
        """Forget the pictures of the files that no longer stand; each file is asked about once."""
        gone = {path for path in {place.path for place in self._pictures} if not stands(path)}
        for place in [place for place in self._pictures if place.path in gone]:
            self._remove(place)

    def clear(self) -> None:
        """Forget all."""
        self._pictures.clear()
        self.size_bytes = 0

    def _remove(self, place: Place) -> None:
        jpeg = self._pictures.pop(place, None)
        if jpeg is not None:
            self.size_bytes -= len(jpeg)
