"""Every code with its words, for the interface."""

from central import codes
from central.people.views import View


class CodeView(View):
    """A code and its words."""

    code: str
    zh: str
    en: str


class CodesView(View):
    """Every code that the interface may show."""

    kinds: list[CodeView]
    levels: list[CodeView]
    modes: list[CodeView]
    alert_states: list[CodeView]
    false_reasons: list[CodeView]
    categories: list[CodeView]
    incident_states: list[CodeView]
    posts: list[CodeView]
    gap_reasons: list[CodeView]
    activity_kinds: list[CodeView]
    activity_states: list[CodeView]


def codes_view() -> CodesView:
    """Return all codes, each list in its own order."""
    return CodesView(
        kinds=_list(codes.KINDS),
        levels=_list(codes.LEVELS),
        modes=_list(codes.MODES),
        alert_states=_list(codes.ALERT_STATES),
        false_reasons=_list(codes.FALSE_REASONS),
        categories=_list(codes.CATEGORIES),
        incident_states=_list(codes.INCIDENT_STATES),
        posts=_list(codes.POSTS),
        gap_reasons=_list(codes.GAP_REASONS),
        activity_kinds=_list(codes.ACTIVITY_KINDS),
        activity_states=_list(codes.ACTIVITY_STATES),
    )


def _list(labels: codes.Labels) -> list[CodeView]:
    return [CodeView(code=code.value, zh=label.zh, en=label.en) for code, label in labels.items()]
