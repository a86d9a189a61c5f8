"""The words of what is said to somebody who adds a camera (``texts.toml``, else the doctor's)."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from edge.doctor.finding import Finding, Kind
from edge.doctor.redaction import Redaction
from edge.doctor.wording import Language, Wordings
from edge.enrolment.advice import Matter
from edge.enrolment.errand import Advice, Problem

_TEXTS = Path(__file__).with_name("texts.toml")
_KINDS = {kind.id.removeprefix("camera."): kind for kind in Kind if kind.id.startswith("camera.")}
#: What comes from the camera or from libraries, and may say more one day.
_FOREIGN = frozenset({"detail", "host"})
_JOINTS: Mapping[Language, str] = {"zh": "。", "en": ". "}


class Words:
    """Tells matters in both languages; what comes from outside is cleaned of ``redaction``'s."""

    def __init__(self, redaction: Redaction) -> None:
        self._texts = tomllib.loads(_TEXTS.read_text(encoding="utf-8"))
        self._doctors: Mapping[Language, Wordings] = {"zh": Wordings("zh"), "en": Wordings("en")}
        self._redaction = redaction

    def advice(self, matter: Matter) -> Advice:
        """Return a matter as advice."""
        zh, en = self._told(matter)
        return Advice(code=matter.code, level=matter.level, zh=zh, en=en)

    def problem(self, matter: Matter) -> Problem:
        """Return a matter as what an examination failed by."""
        zh, en = self._told(matter)
        return Problem(kind=matter.code, zh=zh, en=en)

    def _told(self, matter: Matter) -> tuple[str, str]:
        values = {
            name: self._redaction.clean(str(value)) if name in _FOREIGN else value
            for name, value in matter.values.items()
        }
        told = Matter(matter.code, matter.level, values)
        return self._in("zh", told), self._in("en", told)

    def _in(self, language: Language, matter: Matter) -> str:
        doctors = self._doctors[language]
        own = self._texts.get(matter.code)
        if own is None:
            said = doctors.of(Finding(_KINDS[matter.code], "", matter.values))
            parts = [said.seen, said.why + (" " if language == "en" and said.why else "") + said.do]
            return _JOINTS[language].join(part for part in parts if part)
        return str(own[language]).format_map(doctors.named(matter.values))
