"""What a change of a box's settings changes, in lines that a person reads. Pure.

A value is shown where it may be changed from afar (edge.settings.tuning); of all else, addresses
and secrets among it, only that it is another.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from edge.config import CameraSection, EdgeConfig
from edge.section import Section
from edge.settings.tuning import TUNABLE_OF_CAMERA, tunable
from edge.template import DRAWN

_ABSENT = "–"
_LONGEST_VALUE = 200


def differences(before: EdgeConfig, after: EdgeConfig) -> tuple[str, ...]:
    """Return a line for each key that is another: the key, what it was and what it is to be."""
    lines: list[str] = []
    for name in EdgeConfig.model_fields:
        if name != "cameras":
            old, new = (_plain(getattr(each, name)) for each in (before, after))
            lines += _of_table(name, old, new, tunable(name))
    old_cameras = {camera.id: camera for camera in before.cameras}
    new_cameras = {camera.id: camera for camera in after.cameras}
    for camera_id in dict.fromkeys((*old_cameras, *new_cameras)):
        lines += _of_camera(
            f"cameras.{camera_id}", old_cameras.get(camera_id), new_cameras.get(camera_id)
        )
    return tuple(lines)


def _of_camera(
    name: str, before: CameraSection | None, after: CameraSection | None
) -> Iterator[str]:
    if before is None or after is None:
        yield f"{name}: {'added' if before is None else 'removed'}"
        return
    old, new = _plain(before), _plain(after)
    old_rules, new_rules = _by_id(old.pop("rules")), _by_id(new.pop("rules"))
    yield from _of_table(name, old, new, TUNABLE_OF_CAMERA)
    for rule_id in dict.fromkeys((*old_rules, *new_rules)):
        of_rule = f"{name}.rules.{rule_id}"
        if rule_id not in old_rules or rule_id not in new_rules:
            yield f"{of_rule}: {'added' if rule_id not in old_rules else 'removed'}"
            continue
        before_rule, after_rule = old_rules[rule_id], new_rules[rule_id]
        shown = {*before_rule, *after_rule} - DRAWN - {"regions"}
        yield from _of_table(of_rule, before_rule, after_rule, shown)


def _of_table(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any], shown: AbstractSet[str]
) -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key), after.get(key)
        if old != new:
            what = f"{_text(old)} → {_text(new)}" if key in shown else "changed"
            yield f"{name}.{key}: {what}"


def _plain(section: Section | None) -> dict[str, Any]:
    return {} if section is None else section.model_dump(mode="json")


def _by_id(rules: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {rule["id"]: rule for rule in rules}


def _text(value: object) -> str:
    if value is None:
        return _ABSENT
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
