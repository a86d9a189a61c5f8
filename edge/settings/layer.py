"""What is laid over the configuration file: cameras, and what of the sections was tuned. Pure."""

from collections.abc import Mapping
from datetime import date, time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from edge.config import CameraId
from edge.errors import ConfigError
from edge.section import Section
from edge.template import CARRIED
from protocol.refusal import refusal

Document = Mapping[str, Any]

_ID: TypeAdapter[str] = TypeAdapter(CameraId)


def _with_id(camera: dict[str, Any]) -> dict[str, Any]:
    try:
        _ID.validate_python(camera.get("id"))
    except ValidationError:
        raise ValueError("each camera must have an 'id' as in the configuration file") from None
    return dict(_plain(camera))


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a TOML file can say
    """Return a value as JSON has it, and without None, which TOML has not."""
    match value:
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items() if each is not None}
        case list() | tuple():
            return [_plain(each) for each in value]
        case StrEnum():
            return value.value
        case date() | time():
            return value.isoformat()
        case _:
            return value


def _tuned(sections: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    for name, section in sections.items():
        if name not in CARRIED:
            raise ValueError(f"'{name}' is no section that may be tuned ({', '.join(CARRIED)})")
        allowed = CARRIED[name]
        for key in section:
            if allowed is not None and key not in allowed:
                raise ValueError(f"'{name}.{key}' stays as the configuration file has it")
    return dict(_plain(sections))


class Layer(Section):
    """Whole cameras by id, ids of cameras that are removed, and keys of sections.

    Of a section only what a template carries (edge/template.py): addresses, folders, secrets and
    what the centre may do are the operator's. A camera's password names a file; a relative one is
    below the settings' folder. What the values are is checked where they are laid over a file.
    """

    sections: Annotated[dict[str, dict[str, Any]], AfterValidator(_tuned)] = Field(
        default_factory=dict
    )
    cameras: tuple[Annotated[dict[str, Any], AfterValidator(_with_id)], ...] = ()
    removed: tuple[CameraId, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = [*(camera["id"] for camera in self.cameras), *self.removed]
        if len(set(ids)) != len(ids):
            raise ValueError(f"a camera must be given once, or removed once: {sorted(ids)}")
        return self

    @property
    def is_empty(self) -> bool:
        """Whether all is as the configuration file has it."""
        return not (any(self.sections.values()) or self.cameras or self.removed)

    def with_camera(self, camera: Document) -> "Layer":
        """Return the layer with a camera added, or in the place of the one with its id.

        Raises ConfigError where that is no camera at all.
        """
        layer_of({"cameras": [camera]})
        cameras = {each["id"]: each for each in (*self.cameras, dict(camera))}
        removed = [each for each in self.removed if each != camera["id"]]
        return layer_of(self._changed(cameras=list(cameras.values()), removed=removed))

    def without_camera(self, camera_id: str, *, is_in_file: bool) -> "Layer":
        """Return the layer with a camera taken out; one that the file has is marked as removed."""
        cameras = [each for each in self.cameras if each["id"] != camera_id]
        removed = [each for each in self.removed if each != camera_id]
        removed += [camera_id] if is_in_file else []
        return layer_of(self._changed(cameras=cameras, removed=removed))

    def with_sections(self, sections: Mapping[str, Document]) -> "Layer":
        """Return the layer with these keys of sections in place of what they were.

        Raises ConfigError that names a key which may not be tuned.
        """
        names = dict.fromkeys((*self.sections, *sections))
        merged = {n: {**self.sections.get(n, {}), **sections.get(n, {})} for n in names}
        return layer_of(self._changed(sections=merged))

    def _changed(self, **changed: object) -> dict[str, object]:
        return {**self.model_dump(mode="json"), **changed}


def layer_of(document: object) -> Layer:
    """Return the layer that a document is. Raises ConfigError that names what is wrong."""
    try:
        return Layer.model_validate(document)
    except ValidationError as error:
        raise ConfigError(refusal(error)) from None


def laid_over(document: Document, layer: Layer, folder: Path) -> dict[str, Any]:
    """Return a configuration file's document with a layer over it; neither is changed.

    A camera of the layer takes the place of the file's of the same id, in the file's order; others
    come after them. Keys of sections are replaced one by one. ``folder`` is the settings'.
    To lay the same layer over the outcome changes nothing more.
    """
    made = dict(document)
    for name, section in layer.sections.items():
        if section:
            made[name] = {**document.get(name, {}), **section}
    own = {camera["id"]: _placed(camera, folder) for camera in layer.cameras}
    of_file = [
        own.pop(camera.get("id"), camera)
        for camera in document.get("cameras", ())
        if camera.get("id") not in layer.removed
    ]
    cameras = [*of_file, *own.values()]
    if cameras or "cameras" in document:
        made["cameras"] = cameras
    return made


def _placed(camera: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return a camera whose password's file is below ``folder`` where it is relative."""
    password = camera.get("password")
    if not isinstance(password, Mapping) or not isinstance(password.get("file"), str):
        return camera
    return {**camera, "password": {**password, "file": str(folder / password["file"])}}
