"""The words of every finding, in both languages (``texts.toml``)."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge.doctor.finding import Finding, Kind, Values

Language = Literal["zh", "en"]
_TEXTS = Path(__file__).with_name("texts.toml")
#: Places whose values are our own words, and have a translation.
_NAMED = {"stream", "task"}


@dataclass(frozen=True, slots=True)
class Wording:
    """What was seen, why it matters, and what a person on site can do; the latter two may be empty.

    Of a kind they are templates with places such as ``{host}``, of a finding they are filled.
    """

    seen: str
    why: str
    do: str


class Wordings:
    """The words in one language."""

    def __init__(self, language: Language) -> None:
        document = tomllib.loads(_TEXTS.read_text(encoding="utf-8"))
        self._words: Mapping[str, str] = document.pop("words")[language]
        self._by_id: Mapping[str, Wording] = {
            name: Wording(**{"why": "", "do": "", **texts[language]})
            for name, texts in document.items()
        }

    def template(self, kind: Kind) -> Wording:
        """Return a kind's words with their places open."""
        return self._by_id[kind.id]

    def of(self, finding: Finding) -> Wording:
        """Return a finding's words."""
        template = self._by_id[finding.kind.id]
        values = self.named({"subject": finding.subject, **finding.values})
        return Wording(
            template.seen.format_map(values),
            template.why.format_map(values),
            template.do.format_map(values),
        )

    def named(self, values: Values) -> dict[str, str | int | float]:
        """Return values with those that are our own words in this language."""
        translated = {name: self._words[str(values[name])] for name in _NAMED & values.keys()}
        return {**values, **translated}
