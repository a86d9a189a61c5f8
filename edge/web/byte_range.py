"""The Range header of one span (RFC 9110, 14.2). Pure."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})\Z")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` to ``end`` (excluded); ``is_part``: it was asked for with a header."""

    start: int
    end: int
    is_part: bool


def span_of(header: str | None, size_bytes: int) -> Span:
    """Return what of ``size_bytes`` is asked for: all, where the header is not one we do.

    Raises ValueError where it asks for nothing that there is.
    """
    found = None if header is None else _ONE.match(header.strip())
    if found is None or found.group(1, 2) == ("", ""):
        return Span(0, size_bytes, is_part=False)
    first, last = found.group(1, 2)
    if not first:  # so many from the end
        start, end = max(0, size_bytes - int(last)), size_bytes
    else:
        start = int(first)
        if last and int(last) < start:
            return Span(0, size_bytes, is_part=False)  # no range at all
        end = min(int(last) + 1, size_bytes) if last else size_bytes
    if start >= end:
        raise ValueError(f"nothing of {size_bytes} bytes is in '{header}'")
    return Span(start, end, is_part=True)
