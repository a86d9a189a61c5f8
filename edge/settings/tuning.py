"""What of a box's settings may be changed from afar: what was tuned, not what it is. Pure.

That is what a template carries (edge.template), without addresses: so neither a host nor a folder
nor a secret can be given that way, nor a shape drawn on a picture, which are of one view only.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from edge.config import EdgeConfig
from edge.errors import ConfigError
from edge.rule_config import Region
from edge.template import ADDRESSES, CARRIED, CARRIED_OF_CAMERA, DRAWN, template_of

Document = Mapping[str, Any]

TUNABLE_OF_CAMERA = CARRIED_OF_CAMERA - frozenset(ADDRESSES)
_ID = "id"
#: The id of a region that has none.
_WHOLE = Region().id


def tunable(section: str) -> AbstractSet[str]:
    """Return the keys of a section that may be changed from afar; none of one that is not known."""
    carried = CARRIED.get(section, frozenset())
    return frozenset(_keys(section)) if carried is None else carried


def tuning_of(config: EdgeConfig, document: Document) -> dict[str, Any]:
    """Return what of a box's settings may be changed, as it counts now; a patch is a part of it.

    Of the sections these are all values, of the cameras those that ``document`` gives, which is
    what ``config`` was read from.
    """
    made: dict[str, Any] = {}
    for name in CARRIED:
        section = getattr(config, name)
        if section is None:
            continue
        values = section.model_dump(mode="json", exclude_none=True)
        if kept := {key: value for key, value in values.items() if key in tunable(name)}:
            made[name] = kept
    cameras = [
        {key: value for key, value in camera.items() if key in TUNABLE_OF_CAMERA}
        for camera in template_of(document).get("cameras", ())
    ]
    return made | ({"cameras": cameras} if cameras else {})


def tuned(document: Document, patch: Document) -> dict[str, Any]:
    """Return a box's document with a patch laid over it (protocol.commands.document_of).

    Keys are replaced one by one, also a camera's and those of a rule of the same id, which keeps
    what is drawn for it; a rule of another id is added; what is not named stays. Raises ConfigError
    that names every key that may not be changed so.
    """
    if refused := list(_refused(document, patch)):
        raise ConfigError("; ".join(refused))
    made = {**document}
    for name, section in patch.items():
        if name != "cameras":
            made[name] = {**document.get(name, {}), **section}
    patches = {each[_ID]: each for each in patch.get("cameras", ())}
    made["cameras"] = [
        _camera(camera, patches.get(camera[_ID], {})) for camera in document.get("cameras", ())
    ]
    return made


def _keys(section: str) -> Iterator[str]:
    annotation = EdgeConfig.model_fields[section].annotation
    for each in (annotation, *getattr(annotation, "__args__", ())):
        yield from getattr(each, "model_fields", ())


def _refused(document: Document, patch: Document) -> Iterator[str]:
    """Yield in words what of a patch may not be."""
    for name, section in patch.items():
        if name == "cameras":
            continue
        if not tunable(name):
            yield f"'{name}': can't be changed from afar"
            continue
        if name == "centre" and name not in document:
            yield f"'{name}': this box has no centre by its configuration file"
            continue
        for key in sorted(section.keys() - tunable(name)):
            yield f"'{name}.{key}': can't be changed from afar"
    known = {camera[_ID] for camera in document.get("cameras", ())}
    for camera in patch.get("cameras", ()):
        name = f"cameras.{camera[_ID]}"
        if camera[_ID] not in known:
            yield f"'{name}': there is no such camera here"
        for key in sorted(camera.keys() - TUNABLE_OF_CAMERA):
            yield f"'{name}.{key}': can't be changed from afar"
        yield from _refused_of_rules(f"{name}.rules", camera.get("rules", ()))


def _refused_of_rules(name: str, rules: object) -> Iterator[str]:
    if not _is_tables(rules):
        yield f"'{name}': must be tables, each with its own 'id'"
        return
    assert isinstance(rules, Sequence)
    for rule in rules:
        regions = rule.get("regions", ())
        if not _is_tables(regions):
            yield f"'{name}.{rule[_ID]}.regions': must be tables, each with its own 'id'"
            continue
        for drawn in sorted({key for each in (rule, *regions) for key in each} & DRAWN):
            yield f"'{name}.{rule[_ID]}': '{drawn}' is drawn on the camera's own picture"


def _is_tables(value: object) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    if not all(isinstance(each, Mapping) and isinstance(each.get(_ID), str) for each in value):
        return False
    return len({each[_ID] for each in value}) == len(value)


def _camera(camera: Document, patch: Document) -> dict[str, Any]:
    made = {**camera, **patch}
    if "rules" in patch:
        made["rules"] = _rules(camera.get("rules", ()), patch["rules"])
    return made


def _rules(rules: Sequence[Document], patches: Sequence[Document]) -> list[dict[str, Any]]:
    """Return the rules with those of the patches in their places, new ones at the end."""
    named = {each[_ID]: each for each in patches}
    merged = [_rule(rule, named.pop(rule[_ID], {})) for rule in rules]
    return [*merged, *map(dict, named.values())]


def _rule(rule: Document, patch: Document) -> dict[str, Any]:
    made = {**rule, **patch}
    if "regions" in patch:
        drawn = {each.get(_ID, _WHOLE): each for each in rule.get("regions", ())}
        made["regions"] = [{**drawn.get(each[_ID], {}), **each} for each in patch["regions"]]
    return made
