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
        kinds=code_views(codes.KINDS),
        levels=code_views(codes.LEVELS),
        modes=code_views(codes.MODES),
        alert_states=code_views(codes.ALERT_STATES),
        false_reasons=code_views(codes.FALSE_REASONS),
        categories=code_views(codes.CATEGORIES),
        incident_states=code_views(codes.INCIDENT_STATES),
        posts=code_views(codes.POSTS),
        gap_reasons=code_views(codes.GAP_REASONS),
        activity_kinds=code_views(codes.ACTIVITY_KINDS),
        activity_states=code_views(codes.ACTIVITY_STATES),
    )


def code_views(labels: codes.Labels) -> list[CodeView]:
    """Return codes with their words, in their own order."""
    return [CodeView(code=code.value, zh=label.zh, en=label.en) for code, label in labels.items()]
