"""Every error the centre raises on purpose.

::

    CentralError
    ├── ConfigError            the configuration breaks a rule; names key, rule and value
    ├── StoreUnavailableError  the database can't be reached or refused for now      (503)
    │   └── EvidenceAwayError  where pictures and clips lie is away or takes nothing (503)
    ├── NotFoundError          there is no such thing, or not for this person        (404)
    ├── ForbiddenError         this role may not do that                             (403)
    ├── SignInError            name, password or PIN is wrong                        (401)
    ├── TooManyTriesError      too many failed tries; come back later                (429)
    ├── InvalidError           what was sent breaks a rule, or something is missing  (422)
    │   ├── DamagedError       the bytes are not those that were named               (422)
    │   ├── SpanError          bytes are asked for that the file does not have       (416)
    │   └── TooLongError       a file longer than is taken                           (413)
    ├── ConflictError          the thing's state does not allow it                   (409)
    │   ├── OverlapError       another planned event is on there then                (409)
    │   └── OffsetError        another part of the file is here than was thought     (409)
    ├── BoxTooOldError         the box's software does not know how to do that       (502)
    └── BoxUnreachableError    the box is not connected or does not answer           (503)
        └── BoxUnsureError     it was told to do something; whether it did is open   (504)
"""


class CentralError(Exception):
    """Something at the centre went wrong."""


class ConfigError(CentralError):
    """The configuration is not valid."""


class StoreUnavailableError(CentralError):
    """The database is not available."""


class EvidenceAwayError(StoreUnavailableError):
    """Where evidence lies is away, full, or refuses for now."""


class NotFoundError(CentralError):
    """There is no such thing."""


class ForbiddenError(CentralError):
    """This role may not do that."""


class SignInError(CentralError):
    """Name, password or PIN is wrong."""


class TooManyTriesError(CentralError):
    """Too many failed tries."""


class InvalidError(CentralError):
    """What was sent breaks a rule."""


class DamagedError(InvalidError):
    """The bytes are not those that were named: they may be sent again."""


class TooLongError(InvalidError):
    """A file is longer than is taken."""


class SpanError(InvalidError):
    """Bytes are asked for that a file of ``size_bytes`` does not have."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"it has {size_bytes} bytes")
        self.size_bytes = size_bytes


class ConflictError(CentralError):
    """The state does not allow it."""


class OverlapError(ConflictError):
    """Another planned event is on at the same place and time, and nobody said that it may be."""


class OffsetError(ConflictError):
    """A file does not go on where its sender thought; ``offset`` bytes of it are here."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"{offset} bytes of it are here")
        self.offset = offset


class BoxTooOldError(CentralError):
    """The box's software is too old for this."""


class BoxUnreachableError(CentralError):
    """The box does not answer."""


class BoxUnsureError(BoxUnreachableError):
    """The box gave no answer to what it was told to do: it may have done it."""
