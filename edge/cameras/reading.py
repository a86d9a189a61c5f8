"""Values out of a camera's answers: what is missing, or of another shape, is None or empty. Pure.

An answer that fits its schema still promises little: cameras leave elements out, give one where
there should be a list, and names of any length.
"""

import math
from collections.abc import Mapping, Sequence

from edge.cameras.soap import Element

_MAX_CHARS = 256
_MAX_ITEMS = 64


def tree(element: Element) -> object:
    """Return an element as dictionaries, lists and texts, by names without their namespaces.

    Attributes stand beside children; what comes more than once is a list. Never deeper than the
    parser let it be.
    """
    found: dict[str, object] = {_local(name): value for name, value in element.attrib.items()}
    for child in element:
        name, value = _local(child.tag), tree(child)
        if name not in found:
            found[name] = value
        elif isinstance(before := found[name], list):
            before.append(value)
        else:
            found[name] = [before, value]
    return found or (element.text or "").strip()


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def at(value: object, *path: str) -> object:
    """Return what is below ``value`` by names, None where any of them is missing."""
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def text(value: object, *path: str) -> str:
    """Return a text in one line, without control characters and at most 256 long; or ``""``."""
    found = at(value, *path)
    if not isinstance(found, str | int | float):
        return ""
    shown = "".join(char if char.isprintable() else " " for char in str(found)[: 4 * _MAX_CHARS])
    return " ".join(shown.split())[:_MAX_CHARS]


def exact(value: object, *path: str) -> str:
    """Return a token as the camera wrote it: it is sent back so. ``""`` where it is too long."""
    found = at(value, *path)
    return found if isinstance(found, str) and len(found) <= _MAX_CHARS else ""


def number(value: object, *path: str) -> float | None:
    """Return a finite number."""
    found = at(value, *path)
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        converted = float(found)
    except (ValueError, OverflowError):
        return None
    return converted if math.isfinite(converted) else None


def whole(value: object, *path: str) -> int | None:
    """Return a number of 0 or more without its fraction."""
    found = number(value, *path)
    return int(found) if found is not None and 0 <= found < 2**53 else None


def items(value: object, *path: str) -> list[object]:
    """Return a list's first 64 items; a thing that should have been a list is its one item."""
    found = at(value, *path)
    if found is None:
        return []
    if isinstance(found, Sequence) and not isinstance(found, str | bytes):
        return [item for item in found[:_MAX_ITEMS] if item is not None]
    return [found]
