"""A camera's table in the configuration, as an examination and a person make it. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import chain, count
from typing import Any

from edge.config import CameraSection
from edge.enrolment.errand import Pulled
from edge.enrolment.request import Watch
from edge.template import template_of

Document = dict[str, Any]

#: What one camera may have of another beside its rules; shapes drawn on a picture it may not.
_ALIKE = frozenset({"record_sub", "lost_after_s", "picture_health", "quota_gb", "rules"})
#: What is of the device, and not of the place.
_OF_THE_DEVICE = frozenset(
    {
        "main_url",
        "sub_url",
        "onvif_url",
        "transport",
        "reader",
        "username",
        "certificate_sha256",
        "snapshot_every_s",
        "basic_over_http",
    }
)
#: What a rule is called that is made here.
_RULE_IDS = {Watch.GATHERING: "crowd", Watch.FIRE: "fire"}
_MADE_ID = re.compile(r"cam([0-9]{1,9})")


def document_of(camera: CameraSection) -> Document:
    """Return a camera's table as it stands in a file, without its password."""
    return camera.model_dump(mode="json", exclude_unset=True, exclude={"password"})


def free_id(taken: Iterable[str]) -> str:
    """Return the next id of those that are made (cam1, cam2 …), after the highest that is taken."""
    numbers = [int(made[1]) for each in taken if (made := _MADE_ID.fullmatch(each))]
    return f"cam{max(numbers, default=0) + 1}"


def new(camera_id: str, facts: Mapping[str, Any], pulled: Pulled, username: str | None) -> Document:
    """Return the table of a camera that was examined; ``facts`` are a person's, by key."""
    return {"id": camera_id, **facts, **_device(pulled, username)}


def changed(document: Mapping[str, Any], changes: Mapping[str, Any]) -> Document:
    """Return a table with other facts; None takes a key out: it is then as if nobody had set it."""
    merged = {**document, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def replaced(document: Mapping[str, Any], pulled: Pulled, username: str | None) -> Document:
    """Return the table of a camera in whose place there is another device now.

    The id is the same, so recordings, alerts and rules are.
    """
    kept = {key: value for key, value in document.items() if key not in _OF_THE_DEVICE}
    return _sound({**kept, **_device(pulled, username)})


def alike(document: Mapping[str, Any], other: Mapping[str, Any]) -> Document:
    """Return a table with the settings of another camera's, in place of its own of the kind."""
    carried = template_of({"cameras": [other]})["cameras"][0]
    kept = {key: value for key, value in document.items() if key not in _ALIKE}
    return _sound({**kept, **{key: carried[key] for key in _ALIKE & carried.keys()}})


def watching(document: Mapping[str, Any], kinds: Collection[Watch]) -> Document:
    """Return a table with a rule of each kind; one of a kind that it has already is left alone."""
    rules = list(document.get("rules", ()))
    there = {rule.get("kind", Watch.GATHERING) for rule in rules}
    for kind in Watch:
        if kind in kinds and kind not in there:
            rules.append({"id": _free(_RULE_IDS[kind], rules), "kind": kind.value})
    return {**document, **({"rules": rules} if rules else {})}


def _free(name: str, rules: Iterable[Mapping[str, Any]]) -> str:
    taken = {rule["id"] for rule in rules}
    names = chain((name,), (f"{name}-{number}" for number in count(2)))
    return next(each for each in names if each not in taken)


def _device(pulled: Pulled, username: str | None) -> Document:
    made: Document = {"main_url": pulled.main_url}
    if pulled.sub_url is not None:
        made["sub_url"] = pulled.sub_url
    if pulled.onvif_url is not None:
        made["onvif_url"] = pulled.onvif_url
    if pulled.certificate is not None:
        made["certificate_sha256"] = pulled.certificate
    if pulled.transport != "tcp":
        made["transport"] = pulled.transport
    if username is not None:
        made["username"] = username
    return made


def _sound(document: Document) -> Document:
    """Return the table without the wish to record a sub-stream that is not there."""
    if "sub_url" not in document:
        document.pop("record_sub", None)
    return document
