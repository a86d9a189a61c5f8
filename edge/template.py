"""A village's configuration as a template for others: what was tuned, without whose it is. Pure.

A template is of the configuration's own form. It holds nothing that is not named here: no names,
places, addresses, secrets, folders, and no shapes drawn on a picture, which are of one view only.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from edge.errors import ConfigError

Document = Mapping[str, Any]

#: What is carried of each section; None: all of it.
CARRIED: Mapping[str, frozenset[str] | None] = {
    "box": frozenset({"time_zone", "holidays"}),
    "centre": frozenset({"mqtt_port", "mqtt_tls", "mqtt_version", "home_assistant"}),
    "outbox": None,
    "http": frozenset(),
    "recording": frozenset(
        {
            "enabled",
            "segment_s",
            "retention_days",
            "alert_retention_days",
            "quota_gb",
            "min_free_fraction",
            "sync_s",
        }
    ),
    "detect": frozenset(
        {
            "enabled",
            "model",
            "fire_model",
            "fps",
            "calm_fps",
            "min_score",
            "runtime",
            "picture_health",
        }
    ),
    "evidence": None,
    "commands": frozenset(),
}
#: What is carried of a camera; why it may keep less than the law wants is a matter of its own.
CARRIED_OF_CAMERA = frozenset(
    {
        "id",
        "main_url",
        "sub_url",
        "onvif_url",
        "record_sub",
        "transport",
        "reader",
        "enabled",
        "lost_after_s",
        "picture_health",
        "quota_gb",
        "rules",
    }
)
#: Shapes on the picture.
DRAWN = frozenset({"exclude", "polygon"})
ADDRESSES = ("main_url", "sub_url", "onvif_url")
_HOST = "{host}"
#: A path that has any of these may have a password in it.
_TELLING = frozenset("?=&;@")
_LIKE, _HOST_KEY = "like", "host"


def template_of(document: Document) -> dict[str, Any]:
    """Return the template of a configuration as it was read from its file."""
    made: dict[str, Any] = {}
    for name, keys in CARRIED.items():
        section = document.get(name, {})
        kept = {key: value for key, value in section.items() if keys is None or key in keys}
        if kept:
            made[name] = kept
    cameras = [_camera(each) for each in document.get("cameras", ())]
    return made | ({"cameras": cameras} if cameras else {})


def applied(template: Document, village: Document) -> dict[str, Any]:
    """Return a village's configuration: the template with what is the village's own laid over it.

    Each of the village's cameras names with ``like`` the template's camera that it is like, and
    with ``host`` where it is; any key may be given and then counts. Raises ConfigError.
    """
    models = {each["id"]: each for each in template.get("cameras", ())}
    made: dict[str, Any] = {}
    for name in dict.fromkeys((*template, *village)):
        if name != "cameras":
            made[name] = {**template.get(name, {}), **village.get(name, {})}
    made["cameras"] = [_placed(each, models) for each in village.get("cameras", ())]
    return made


def _camera(camera: Document) -> dict[str, Any]:
    kept = {key: value for key, value in camera.items() if key in CARRIED_OF_CAMERA}
    for key in ADDRESSES:
        if key in kept:
            address = _elsewhere(kept[key])
            kept.pop(key)
            if address is not None:
                kept[key] = address
    if "rules" in kept:
        kept["rules"] = [_undrawn(rule) for rule in kept["rules"]]
    return kept


def _elsewhere(url: str) -> str | None:
    """Return an address without its host; None where its path may tell more than it should."""
    parts = urlsplit(url)
    if _TELLING & set(url) or parts.fragment:
        return None
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{_HOST}{port}{parts.path}"


def _undrawn(rule: Document) -> dict[str, Any]:
    kept = {key: value for key, value in rule.items() if key not in DRAWN}
    if "regions" in kept:
        kept["regions"] = [
            {key: value for key, value in region.items() if key not in DRAWN}
            for region in kept["regions"]
        ]
    return kept


def _placed(camera: Document, models: Mapping[str, Document]) -> dict[str, Any]:
    own = {key: value for key, value in camera.items() if key not in {_LIKE, _HOST_KEY}}
    like = camera.get(_LIKE)
    if like is None:
        return own
    if like not in models:
        known = ", ".join(sorted(models))
        raise ConfigError(f"'cameras': 'like' must be a camera of the template ({known}): {like!r}")
    made = {**models[like], **own}
    for key in ADDRESSES:
        if _HOST in str(made.get(key, "")):
            if _HOST_KEY not in camera:
                raise ConfigError(f"'cameras': the one like '{like}' must say its 'host'")
            made[key] = made[key].replace(_HOST, camera[_HOST_KEY])
    return made
