"""A document as TOML: the standard library only reads it. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any


def toml_text(document: Mapping[str, Any]) -> str:
    """Return the document as text that tomllib reads as the same.

    Values are text, numbers, booleans, dates, lists and tables; a list of tables becomes an array
    of tables at the top, and is written in one piece below that. Raises TypeError for others.
    """
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    tables = {key: value for key, value in document.items() if _is_table(value)}
    for key, value in document.items():
        if key not in tables:
            yield f"{_key(key)} = {_value(value)}"
    for key, value in tables.items():
        head = f"[{_key(key)}]" if isinstance(value, Mapping) else f"[[{_key(key)}]]"
        for table in [value] if isinstance(value, Mapping) else value:
            yield ""
            yield head
            for name, each in table.items():
                yield f"{_key(name)} = {_value(each)}"


def _is_table(value: object) -> bool:
    if isinstance(value, Mapping):
        return True
    return isinstance(value, list) and value != [] and all(isinstance(v, Mapping) for v in value)


def _key(key: str) -> str:
    is_bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if is_bare else _string(key)


def _string(text: str) -> str:
    # JSON's escapes are TOML's; DEL alone is plain in one and forbidden in the other.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _string(value)
        case int() | float():
            return repr(value)
        case date():
            return value.isoformat()
        case Mapping():
            pairs = (f"{_key(name)} = {_value(each)}" for name, each in value.items())
            return f"{{ {', '.join(pairs)} }}" if value else "{}"
        case Sequence():
            return f"[{', '.join(map(_value, value))}]"
        case _:
            raise TypeError(f"TOML has no {type(value).__name__}")
