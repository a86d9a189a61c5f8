"""What the doctor says, as a text for people and as JSON for programs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from edge.doctor.finding import Finding, Severity
from edge.doctor.redaction import Redaction
from edge.doctor.wording import Language, Wording, Wordings

_MARKS = {
    "zh": {
        Severity.FAIL: "✕ 故障",
        Severity.WARN: "▲ 注意",
        Severity.NOTE: "· 提示",
        Severity.OK: "✓ 正常",
    },
    "en": {
        Severity.FAIL: "✕ FAIL",
        Severity.WARN: "▲ WARN",
        Severity.NOTE: "· note",
        Severity.OK: "✓ ok",
    },
}
_TITLE = {"zh": "探哨 体检", "en": "Tanshao doctor"}
_COLON = {"zh": ":", "en": ": "}
_WHY = {"zh": "影响:", "en": "Why it matters: "}
_DO = {"zh": "怎么办:", "en": "What to do: "}
_SUM = {
    "zh": "合计:故障 {fail},注意 {warn},提示 {note},正常 {ok}。",
    "en": "In all: {fail} failed, {warn} to look after, {note} notes, {ok} fine.",
}
_SAFE = {
    "zh": "以上内容不含密码和令牌,可以发给维护人员。",
    "en": "There are no passwords and no tokens in this: it can be sent to whoever helps you.",
}


@dataclass(frozen=True, slots=True)
class Head:
    """Whose report it is; ``box`` is empty where the configuration could not be read.

    ``names`` are the cameras', by their ids: people on site know them by these.
    """

    box: str
    version: str
    at: datetime
    names: Mapping[str, str] = field(default_factory=dict)


class Report:
    """Findings, worst first; whatever text came from outside has gone through ``redaction``."""

    def __init__(self, head: Head, findings: Sequence[Finding], redaction: Redaction) -> None:
        self._head = head
        worst_first = sorted(findings, key=lambda each: -each.kind.severity.rank)
        self._findings = [_cleaned(each, redaction) for each in worst_first]

    @property
    def exit_status(self) -> int:
        """0: nothing is to be done; 1: something wants looking after; 2: something is broken."""
        worst = max((each.kind.severity.rank for each in self._findings), default=0)
        return max(0, worst - Severity.NOTE.rank)

    def text(self, language: Language, zone: ZoneInfo) -> str:
        """Return it as lines for a person, who reads the worst first."""
        wordings, marks = Wordings(language), _MARKS[language]
        at = self._head.at.astimezone(zone)
        lines = [
            f"{_TITLE[language]} {self._head.version} {self._head.box} {at:%Y-%m-%d %H:%M:%S}",
            "",
        ]
        for each in self._findings:
            words, severity = wordings.of(each), each.kind.severity
            head = f"{marks[severity]}{self._shown(each.subject, words)}{_COLON[language]}"
            lines.append(f"{head}{words.seen} [{each.kind.id}]")
            lines += [f"    {_WHY[language]}{words.why}"] if words.why else []
            lines += [f"    {_DO[language]}{words.do}"] if words.do else []
        count = self._count()
        lines += ["", _SUM[language].format_map(count), _SAFE[language], ""]
        return "\n".join(lines)

    def document(self, language: Language) -> dict[str, Any]:
        """Return it as JSON has it: ids and figures for programs, words for people."""
        wordings = Wordings(language)
        findings = []
        for each in self._findings:
            words = wordings.of(each)
            findings.append(
                {
                    "id": each.kind.id,
                    "severity": each.kind.severity.value,
                    "subject": each.subject,
                    "seen": words.seen,
                    "why": words.why,
                    "do": words.do,
                    "values": dict(each.values),
                }
            )
        return {
            "box_id": self._head.box,
            "version": self._head.version,
            "at": self._head.at.isoformat(),
            "count": self._count(),
            "findings": findings,
        }

    def _shown(self, subject: str, words: Wording) -> str:
        """Return a subject as a line's head has it: nothing where the line says it anyway."""
        name = self._head.names.get(subject)
        if name is not None:
            return f" {subject} {name}"
        return "" if subject in words.seen else f" {subject}"

    def _count(self) -> dict[str, int]:
        counted = Counter(each.kind.severity.value for each in self._findings)
        return {severity.value: counted[severity.value] for severity in Severity}


def _cleaned(finding: Finding, redaction: Redaction) -> Finding:
    values = {
        name: redaction.clean(value) if isinstance(value, str) else value
        for name, value in finding.values.items()
    }
    return Finding(finding.kind, redaction.clean(finding.subject), values)
