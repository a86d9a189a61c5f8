"""Writing TOML: the part of it that our configurations use."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import cast

Value = (
    str | int | float | bool | Path | date | datetime | Sequence["Value"] | Mapping[str, "Value"]
)


def dumps(document: Mapping[str, Value]) -> str:
    """Return ``document`` as TOML; None values are not allowed, leave the key out."""
    lines: list[str] = []
    _table(document, (), lines)
    return "\n".join(lines).lstrip("\n") + "\n"


def _table(table: Mapping[str, Value], path: tuple[str, ...], lines: list[str]) -> None:
    nested: list[tuple[str, Value]] = []
    for key, value in table.items():
        if _is_table(value) or _is_tables(value):
            nested.append((key, value))
        else:
            lines.append(f"{_key(key)} = {_value(value)}")
    for key, value in nested:
        name = ".".join(_key(part) for part in (*path, key))
        if _is_table(value):
            lines += ["", f"[{name}]"]
            _table(cast("Mapping[str, Value]", value), (*path, key), lines)
            continue
        for item in cast("Sequence[Mapping[str, Value]]", value):
            lines += ["", f"[[{name}]]"]
            _table(item, (*path, key), lines)


def _is_table(value: Value) -> bool:
    return isinstance(value, Mapping)


def _is_tables(value: Value) -> bool:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return False
    return bool(value) and all(isinstance(item, Mapping) for item in value)


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("_", "a").replace("-", "a").isalnum()
    return key if bare else _string(key)


def _string(text: str) -> str:
    # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str() | Path():
            return _string(str(value))
        case date():
            return value.isoformat()
        case Mapping():
            pairs = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
            return f"{{{pairs}}}"
        case _:
            return f"[{', '.join(_value(item) for item in value)}]"
