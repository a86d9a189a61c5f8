"""What a measurement prints: a table for people, then its figures as one JSON object, last."""

import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TextIO

#: What a figure may be: JSON's own scalars, lists of them and objects of them.
Figure = object


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that ``share`` (0–1) of ``values`` do not exceed (nearest rank).

    None where there are no values: a figure that was not measured is not zero.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share: {share}, must be 0 to 1")
    if not values:
        return None
    ranked = sorted(values)
    return ranked[max(0, math.ceil(share * len(ranked)) - 1)]


def rounded(value: float | None, digits: int = 1) -> float | None:
    """Return ``value`` to ``digits`` after the point, None as it is."""
    return None if value is None else round(value, digits)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return an aligned text table: words left, numbers right, None as a dash."""
    cells = [[_cell(value) for value in row] for row in rows]
    if any(len(row) != len(head) for row in cells):
        raise ValueError("every row must have as many cells as the head")
    widths = [
        max(_width(text) for text in (title, *(row[column] for row in cells)))
        for column, title in enumerate(head)
    ]
    numeric = [
        bool(rows) and all(_is_number(row[column]) for row in rows) for column in range(len(head))
    ]
    lines = [_line(list(head), widths, numeric), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths, numeric) for row in cells]
    return "\n".join(lines)


def emit(out: TextIO, figures: Mapping[str, Figure]) -> None:
    """Write ``figures`` as one line of JSON and flush: it must be the last line of the output."""
    line = json.dumps(figures, ensure_ascii=False, allow_nan=False, sort_keys=False)
    out.write(f"{line}\n")
    out.flush()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}".rstrip("0").rstrip(".") or "0"
    return str(value)


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _width(text: str) -> int:
    """Return how many columns a terminal gives ``text``: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _line(cells: list[str], widths: list[int], numeric: list[bool]) -> str:
    padded = []
    for text, width, right in zip(cells, widths, numeric, strict=True):
        space = " " * (width - _width(text))
        padded.append(space + text if right else text + space)
    return "  ".join(padded).rstrip()
