"""What a person may have a box do: the kinds of commands, each with a closed schema. Pure.

Both sides read a command's arguments with :func:`parse`: the centre before it writes the command
down, the box before it does anything (protocol I20).
"""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from protocol.messages import LONGEST_COMMAND_S, LocalId
from protocol.shapes import Exclusions

#: What one command fetches of a recording at most; more is an export's.
LONGEST_CLIP = timedelta(minutes=10)
#: A patch of a box's settings, in UTF-8: as much as a box may be asked at once in any other way.
LONGEST_PATCH_BYTES = 16 * 1024
#: A list of shapes in a region of a rule of a camera is as deep as settings are.
_DEEPEST = 12
_CAMERAS = "cameras"


class CommandKind(StrEnum):
    """What a command is about."""

    SNAPSHOT = "snapshot"
    CLIP = "clip"
    DISARM = "disarm"
    ARM = "arm"
    SYNC_CLOCK = "sync_clock"
    MASK = "mask"
    CONFIGURE = "configure"
    CAMERA_CLOCK = "camera_clock"


class _Arguments(BaseModel):
    """What every kind keeps to: an unknown key is refused, for it was meant to say something."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OfCamera(_Arguments):
    """What every kind that is about one camera has."""

    camera_id: LocalId


class Snapshot(OfCamera):
    """A picture of now, brought to the centre."""

    kind: Literal[CommandKind.SNAPSHOT] = CommandKind.SNAPSHOT


class Clip(OfCamera):
    """The main stream's recording from ``start`` to ``end``, brought to the centre."""

    kind: Literal[CommandKind.CLIP] = CommandKind.CLIP
    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if not timedelta(0) < self.end - self.start <= LONGEST_CLIP:
            raise ValueError(f"'end' must follow 'start' within {LONGEST_CLIP.seconds} s")
        return self


class Disarm(OfCamera):
    """For ``for_s`` seconds a rule raises no new alert, and is then armed again by itself.

    Where no rule is named, all of the camera's.
    """

    kind: Literal[CommandKind.DISARM] = CommandKind.DISARM
    rule_id: LocalId | None = None
    for_s: int = Field(ge=60, le=LONGEST_COMMAND_S)


class Arm(OfCamera):
    """End what Disarm began for the same camera and rule, before its time."""

    kind: Literal[CommandKind.ARM] = CommandKind.ARM
    rule_id: LocalId | None = None


class SyncClock(_Arguments):
    """Have the box's time service set its clock anew, where the box may, and say how it is.

    No time travels in this: one that came through a broker is of no use to set a clock by.
    """

    kind: Literal[CommandKind.SYNC_CLOCK] = CommandKind.SYNC_CLOCK


class CameraClock(OfCamera):
    """Set a camera's clock by its box's, where that is steered and the camera's is off."""

    kind: Literal[CommandKind.CAMERA_CLOCK] = CommandKind.CAMERA_CLOCK


class Mask(OfCamera):
    """For good, a rule looks past what is in the polygons of ``exclude``, and past nothing else.

    That may be none at all. With ``undo`` instead, what the box's configuration says counts again.
    """

    kind: Literal[CommandKind.MASK] = CommandKind.MASK
    rule_id: LocalId
    exclude: Exclusions | None = None
    undo: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.exclude is None) != self.undo:
            raise ValueError("give exactly one of 'exclude' and 'undo'")
        return self


def document_of(patch: str) -> dict[str, Any]:
    """Return the document that a patch is: a table a section, and ``cameras``, each with its id.

    Raises ValueError that says in words why it is none.
    """
    if len(patch.encode()) > LONGEST_PATCH_BYTES:
        raise ValueError(f"must have at most {LONGEST_PATCH_BYTES} bytes")
    try:
        document = tomllib.loads(patch)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not TOML: {error}") from None
    except RecursionError:
        raise ValueError("not TOML: nested too deeply") from None
    if not _is_flat(document):
        raise ValueError("not settings: nested too deeply")
    for name, section in document.items():
        if name != _CAMERAS and not isinstance(section, dict):
            raise ValueError(f"'{name}' must be a table")
    cameras = document.get(_CAMERAS, [])
    if not isinstance(cameras, list) or not all(isinstance(each, dict) for each in cameras):
        raise ValueError(f"'{_CAMERAS}' must be tables: [[{_CAMERAS}]]")
    ids = [each.get("id") for each in cameras]
    if not all(isinstance(each, str) for each in ids) or len(set(ids)) != len(ids):
        raise ValueError(f"'{_CAMERAS}' must each have an 'id' of its own")
    if not any(document.values()):
        raise ValueError("must hold at least one setting")
    return document


def _is_flat(document: dict[str, Any]) -> bool:
    """Say whether whoever reads the document may do so by recursion: a dotted key has any depth."""
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        tables = [each.values() for each in level if isinstance(each, dict)]
        lists = [each for each in level if isinstance(each, list)]
        level = [value for values in (*tables, *lists) for value in values]
    return not level


def _sound(patch: str) -> str:
    document_of(patch)
    return patch


class Configure(_Arguments):
    """Try other settings, and keep them where the box is whole under them (protocol I27).

    ``patch`` is TOML in the configuration's own form with what is to change; with ``undo`` instead,
    what counted before the last change counts again. ``base_version`` is what it was made for. It
    is confirmed within ``confirm_within_s`` or taken back. ``check_only``: say what would change.
    """

    kind: Literal[CommandKind.CONFIGURE] = CommandKind.CONFIGURE
    patch: Annotated[str, AfterValidator(_sound)] | None = None
    undo: bool = False
    base_version: int = Field(ge=0, le=2**31 - 1)
    confirm_within_s: int = Field(default=180, ge=60, le=600)
    check_only: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.patch is None) != self.undo:
            raise ValueError("give exactly one of 'patch' and 'undo'")
        return self


Arguments = Snapshot | Clip | Disarm | Arm | SyncClock | Mask | Configure | CameraClock

_ADAPTER: TypeAdapter[Arguments] = TypeAdapter(Annotated[Arguments, Field(discriminator="kind")])


class BadArgumentsError(ValueError):
    """No such kind, or arguments that its schema does not have; the text says which, briefly."""


def parse(kind: str, arguments: Mapping[str, JsonValue]) -> Arguments:
    """Return the arguments of a command of that kind. Raises BadArgumentsError."""
    if kind not in list(CommandKind):
        raise BadArgumentsError(f"kind: '{kind}' is not known")
    try:
        return _ADAPTER.validate_python({**arguments, "kind": kind})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[:3]
        keys = (".".join(map(str, each["loc"][1:])) or kind for each in first)
        reasons = (f"{key}: {each['msg']}" for key, each in zip(keys, first, strict=True))
        raise BadArgumentsError("; ".join(reasons)) from None
