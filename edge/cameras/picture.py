"""How a camera makes its picture, and what it writes into it."""

from dataclasses import dataclass

from edge.cameras import reading
from edge.cameras.services import Services
from edge.errors import CameraUnsupported

_NAMES = {
    "brightness": "Brightness",
    "contrast": "Contrast",
    "saturation": "ColorSaturation",
    "sharpness": "Sharpness",
}


@dataclass(frozen=True, slots=True)
class Imaging:
    """A video source's settings, each in the camera's own range; None where it has none."""

    brightness: float | None = None
    contrast: float | None = None
    saturation: float | None = None
    sharpness: float | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """A text that the camera writes into its picture. ``kind``: Plain, Date, Time, DateAndTime."""

    token: str
    source: str
    kind: str
    text: str


class Picture:
    """Imaging settings and texts in the picture. Raises CameraError everywhere."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def imaging(self, source: str) -> Imaging:
        """Return the settings of a video source (a profile's ``source``)."""
        answer = self._services.call("imaging", "GetImagingSettings", VideoSourceToken=source)
        return Imaging(**{ours: reading.number(answer, theirs) for ours, theirs in _NAMES.items()})

    def set_imaging(self, source: str, imaging: Imaging) -> None:
        """Change what is not None, and for good; what the camera can't do, it refuses."""
        wanted = {
            theirs: value
            for ours, theirs in _NAMES.items()
            if (value := getattr(imaging, ours)) is not None
        }
        self._services.call(
            "imaging",
            "SetImagingSettings",
            VideoSourceToken=source,
            ImagingSettings=wanted,
            ForcePersistence=True,
        )

    def overlays(self) -> tuple[Overlay, ...]:
        """Return the texts that the camera writes."""
        found = (_overlay(item) for item in reading.items(self._services.call("media", "GetOSDs")))
        return tuple(overlay for overlay in found if overlay is not None)

    def set_text(self, token: str, text: str) -> None:
        """Let an overlay say ``text``; where and how large it stands is left as it is."""
        answer = self._services.call("media", "GetOSD", OSDToken=token)
        osd = reading.at(answer, "OSD")
        if not isinstance(osd, dict) or not isinstance(osd.get("TextString"), dict):
            raise CameraUnsupported("the camera has no such text")
        changed = {**osd, "TextString": {**osd["TextString"], "Type": "Plain", "PlainText": text}}
        self._services.call("media", "SetOSD", OSD=changed)


def _overlay(item: object) -> Overlay | None:
    token = reading.exact(item, "token")
    if not token or reading.text(item, "Type") != "Text":
        return None
    source = reading.at(item, "VideoSourceConfigurationToken")
    return Overlay(
        token=token,
        source=reading.exact(source, "_value_1") or reading.exact({"it": source}, "it"),
        kind=reading.text(item, "TextString", "Type"),
        text=reading.text(item, "TextString", "PlainText"),
    )
