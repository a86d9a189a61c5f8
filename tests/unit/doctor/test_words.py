"""The words of the findings, and the handbook's table of them."""

import re
import string
import tomllib

import pytest

from edge.doctor.finding import Kind, Severity
from edge.doctor.wording import Wordings
from tests.support.tools import ROOT

LANGUAGES = ("zh", "en")
TEXTS = tomllib.loads((ROOT / "edge/doctor/texts.toml").read_text(encoding="utf-8"))
HANDBOOK = ROOT / "docs/handbook/doctor.md"
LEVELS = {Severity.FAIL: "故障", Severity.WARN: "注意", Severity.NOTE: "提示"}


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def handbook_row(kind: Kind) -> str:
    """Return the line of the handbook that tells of a finding."""
    words = Wordings("zh").template(kind)
    texts = (words.seen, words.why, words.do)
    named = (text.replace("{stream}", "码流").replace("{task}", "识别") for text in texts)
    cells = (re.sub(r"\{\w+\}", "…", text) for text in named)
    seen, why, do = (cell.replace("|", "\\|") for cell in cells)
    return f"| `{kind.id}` | {LEVELS[kind.severity]} | {seen} | {why} | {do} |"


def handbook_kinds() -> list[Kind]:
    """Return what the handbook lists: all that is not fine."""
    return [kind for kind in Kind if kind.severity is not Severity.OK]


def test_every_finding_has_its_words_and_there_are_no_others():
    assert set(TEXTS) - {"words"} == {kind.id for kind in Kind}


def test_every_finding_is_one_that_is_found():
    modules = (ROOT / "edge/doctor").glob("*.py")
    code = "".join(path.read_text("utf-8") for path in modules if path.name != "finding.py")
    assert [kind.name for kind in Kind if not re.search(rf"Kind\.{kind.name}\b", code)] == []


def test_no_two_findings_have_one_id():
    assert len({kind.id for kind in Kind}) == len(Kind)


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.id)
def test_both_languages_say_the_same_of_a_finding(kind):
    chinese, english = (Wordings(language).template(kind) for language in LANGUAGES)
    for part in ("seen", "why", "do"):
        texts = getattr(chinese, part), getattr(english, part)
        assert bool(texts[0]) == bool(texts[1]), part
    assert places(chinese.seen + chinese.why + chinese.do) == places(
        english.seen + english.why + english.do
    )


@pytest.mark.parametrize("kind", Kind, ids=lambda kind: kind.id)
def test_whatever_is_wrong_has_a_reason_and_something_to_do(kind):
    words = Wordings("zh").template(kind)
    assert words.seen
    if kind.severity in (Severity.FAIL, Severity.WARN):
        assert words.why
        assert words.do


def test_the_handbook_tells_of_every_finding_in_the_doctors_own_words():
    listed = [
        line
        for line in HANDBOOK.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `[a-z_.0-9]+` \|", line)
    ]
    assert listed == [handbook_row(kind) for kind in handbook_kinds()]
