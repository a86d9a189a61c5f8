"""Every error the edge raises on purpose.

::

    EdgeError
    ├── ConfigError        the configuration breaks a rule; names the key, the rule and the value
    ├── StreamError        a camera's stream can't be opened or has ended
    │   ├── StreamRefused  the camera refused us, or we can't carry it: retrying is no help
    │   │   └── StreamUnsuited  our own reader can't; FFmpeg may
    │   ├── StreamMissing  the camera answers, but has no such stream (yet)
    │   ├── StreamStalled  no packet came in time
    │   └── RtspError      what the camera sends is not RTSP
    ├── MediaError         bytes that should be H.264, H.265 or MP4 are not
    ├── StorageError       the disk or the index refused a write
    │   ├── DamagedError   the database file is malformed: it has to be made anew
    │   └── NoRoomError    the disk has not enough room for what is asked
    ├── QueueFullError     as many wait as may wait
    ├── RefusedError       a rule, or how things are, does not allow it; ``why`` names which
    └── NotFoundError      what was asked for is not here
"""

from enum import StrEnum


class EdgeError(Exception):
    """Something on the box went wrong."""


class ConfigError(EdgeError):
    """The configuration is not valid."""


class StreamError(EdgeError):
    """The stream has ended."""


class StreamRefused(StreamError):  # noqa: N818 - reads as what happened
    """The camera refused the connection."""


class StreamUnsuited(StreamRefused):
    """The camera sends in a way that our own reader does not take."""


class StreamMissing(StreamError):  # noqa: N818 - reads as what happened
    """The camera has no such stream: it is starting up, or the path is wrong."""


class StreamStalled(StreamError):  # noqa: N818 - reads as what happened
    """The camera sent nothing in time."""


class RtspError(StreamError):
    """What the camera sends is not RTSP, or has no end."""


class MediaError(EdgeError):
    """The video data is not valid."""


class StorageError(EdgeError):
    """The storage refused a write."""


class DamagedError(StorageError):
    """The database file is damaged; nothing that is tried again will succeed."""


class RefusedError(EdgeError):
    """It is not allowed, or not now."""

    def __init__(self, why: StrEnum) -> None:
        super().__init__(why.value)
        self.why = why


class NotFoundError(EdgeError):
    """There is no such thing here."""


class NoRoomError(StorageError):
    """The disk has not enough room."""


class QueueFullError(EdgeError):
    """As many wait already as may wait."""
