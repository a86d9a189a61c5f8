"""Which bytes of a file a browser asks for (RFC 9110, 14.2). Pure."""

import re
from dataclasses import dataclass

from central.errors import SpanError

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from ``first`` to ``last``, both included, counted from 0."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes that is."""
        return self.last - self.first + 1


def span_of(header: str, size_bytes: int) -> Span | None:
    """Return what a ``Range`` header asks of a file, None where it is to be sent whole.

    That is so where there is none, and where it asks for several ranges or in a way that we do
    not know, which a server may ignore. Raises SpanError where it begins behind the end.
    """
    asked = _ONE_RANGE.fullmatch(header)
    if asked is None or asked.groups() == ("", ""):
        return None
    first, last = asked.groups()
    if not first:  # the last so many bytes
        if int(last) == 0:
            raise SpanError(size_bytes)
        return Span(max(0, size_bytes - int(last)), size_bytes - 1)
    if last and int(last) < int(first):
        return None  # not valid, and so to be ignored
    if int(first) >= size_bytes:
        raise SpanError(size_bytes)
    end = size_bytes - 1
    return Span(int(first), min(int(last), end) if last else end)
