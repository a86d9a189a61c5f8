"""One version of the settings, and how it stands on the disk. Pure."""

import json
from datetime import datetime
from hashlib import sha256

from pydantic import Field, ValidationError

from edge.errors import ConfigError
from edge.section import Section
from edge.settings.layer import Layer
from edge.settings.trial import Terms
from protocol.refusal import refusal

#: More than a layer of 64 cameras with all their rules has.
MOST_BYTES = 4 * 1024 * 1024
MOST_ACTOR, MOST_REASON = 200, 500


class Version(Section):
    """A layer, and who made it when and why. Number 0, of nobody, is the file alone.

    ``undoes`` is the version that it takes back, where that is why it is there. ``terms`` are what
    it has to show before it is kept, where it was pushed by the centre.
    """

    number: int = Field(default=0, ge=0)
    at: datetime | None = None
    actor: str = Field(default="", max_length=MOST_ACTOR)
    reason: str = Field(default="", max_length=MOST_REASON)
    undoes: int | None = None
    terms: Terms | None = None
    layer: Layer = Layer()


def encoded(version: Version) -> bytes:
    """Return a version as it is kept: a line of JSON, and one with that line's SHA-256."""
    line = json.dumps(version.model_dump(mode="json"), ensure_ascii=False).encode()
    return line + b"\n" + sha256(line).hexdigest().encode() + b"\n"


def decoded(data: bytes) -> Version:
    """Return the version that was kept. Raises ConfigError where that is damaged or not known."""
    line, _, rest = data.partition(b"\n")
    if rest.strip() != sha256(line).hexdigest().encode():
        raise ConfigError("is damaged: its checksum does not match")
    try:
        return Version.model_validate_json(line)
    except ValidationError as error:
        raise ConfigError(refusal(error)) from None
