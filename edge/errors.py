"""Every error the edge raises on purpose.

::

    EdgeError
    ├── ConfigError        the configuration breaks a rule; names the key, the rule and the value
    ├── StreamError        a camera's stream can't be opened or has ended
    │   ├── StreamRefused  the camera refused us, or we can't carry it: retrying is no help
    │   │   ├── StreamBasicOnly  the camera wants the password as it is, which is not allowed
    │   │   ├── StreamUntrusted  the camera's certificate is not trusted; shows its SHA-256
    │   │   └── StreamUnsuited  our own reader can't; FFmpeg may
    │   │       └── StreamByUdp  the camera sends by UDP only
    │   ├── StreamMissing  the camera answers, but has no such stream (yet)
    │   ├── StreamStalled  no packet came in time
    │   └── RtspError      what the camera sends is not RTSP
    ├── MediaError         bytes that should be H.264, H.265 or MP4 are not
    ├── StorageError       the disk or the index refused a write
    │   ├── DamagedError   the database file is malformed: it has to be made anew
    │   └── NoRoomError    the disk has not enough room for what is asked
    ├── UntrustedError     a device's certificate is not trusted; shows its SHA-256
    ├── QueueFullError     as many wait as may wait
    ├── CameraError        a camera can't be asked over ONVIF; ``kind`` names why, in one word
    │   ├── CameraUnreachable  nobody answers there, or the connection broke
    │   ├── CameraTimeout      it was too slow; connection, silence and the whole each have a limit
    │   ├── CameraLoginRefused it does not take this user and password: nobody tries again
    │   ├── CameraUnsupported  it answers that it does not do this
    │   ├── CameraBlocked      it asks for what we never do: a rule of docs/design/cameras.md
    │   └── CameraBadXml       its answer can't be read
    ├── RefusedError       a rule, or how things are, does not allow it; ``why`` names which
    └── NotFoundError      what was asked for is not here
"""

from enum import StrEnum
from typing import ClassVar


class EdgeError(Exception):
    """Something on the box went wrong."""


class ConfigError(EdgeError):
    """The configuration is not valid."""


class StreamError(EdgeError):
    """The stream has ended."""


class StreamRefused(StreamError):  # noqa: N818 - reads as what happened
    """The camera refused the connection."""


class StreamBasicOnly(StreamRefused):
    """The camera wants the password as it is over plain HTTP: it was not sent."""


class StreamUntrusted(StreamRefused):
    """The camera's certificate is not trusted: nothing was sent to it."""


class StreamUnsuited(StreamRefused):
    """The camera sends in a way that our own reader does not take."""


class StreamByUdp(StreamUnsuited):
    """The camera sends its video by UDP only."""


class StreamMissing(StreamError):  # noqa: N818 - reads as what happened
    """The camera has no such stream: it is starting up, or the path is wrong."""


class StreamStalled(StreamError):  # noqa: N818 - reads as what happened
    """The camera sent nothing in time."""


class RtspError(StreamError):
    """What the camera sends is not RTSP, or has no end."""


class ClockServiceError(EdgeError):
    """The time service could not be started again."""


class MediaError(EdgeError):
    """The video data is not valid."""


class StorageError(EdgeError):
    """The storage refused a write."""


class DamagedError(StorageError):
    """The database file is damaged; nothing that is tried again will succeed."""


class CameraFault(StrEnum):
    """Why a camera can't be asked, as interfaces and logs name it."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    AUTH = "auth"
    UNSUPPORTED = "unsupported"
    BLOCKED = "blocked"
    BAD_XML = "bad_xml"


class CameraError(EdgeError):
    """A camera can't be asked over ONVIF. Raised as one of the kinds below only."""

    kind: ClassVar[CameraFault]


class CameraUnreachable(CameraError):  # noqa: N818 - reads as what happened
    """Nobody answers at the address, or the connection broke off."""

    kind = CameraFault.UNREACHABLE


class CameraTimeout(CameraError):  # noqa: N818 - reads as what happened
    """The camera did not answer within the limits."""

    kind = CameraFault.TIMEOUT


class CameraLoginRefused(CameraError):  # noqa: N818 - reads as what happened
    """The camera refused user and password; another try may lock the account."""

    kind = CameraFault.AUTH


class CameraUnsupported(CameraError):  # noqa: N818 - reads as what happened
    """The camera says that it does not do what was asked."""

    kind = CameraFault.UNSUPPORTED


class CameraBlocked(CameraError):  # noqa: N818 - reads as what happened
    """The camera wants what is never done: go elsewhere, read entities, take megabytes."""

    kind = CameraFault.BLOCKED


class CameraBadXml(CameraError):  # noqa: N818 - reads as what happened
    """What the camera sent is not what was asked for, or nothing that can be read."""

    kind = CameraFault.BAD_XML


class UntrustedError(EdgeError):
    """A device has a certificate that is neither trusted nor the one that was pinned."""


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
