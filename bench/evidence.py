"""Whether an alert's picture and clip are what they should be: decoded, and played in Chromium."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bench.browser import Browser
from bench.centre import Alert, Centre, CentreError, Evidence
from bench.clip import Decoded, decode

_JPEG = b"\xff\xd8\xff"

#: A clip is cut at key frames, so it may be longer than asked; it must not be much shorter.
_SHORTEST_SHARE = 0.9

#: What Chromium must have played of a clip at least.
_PLAYED_S = 1.0


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found about one alert's evidence; a reason None means that it is good."""

    alert_id: str
    picture_fault: str | None
    clip_fault: str | None
    clip_s: float | None = None
    clip_frames: int | None = None


class Examiner:
    """Fetches evidence from the centre and looks at it."""

    def __init__(self, centre: Centre, browser: Browser, *, shortest_share: float) -> None:
        self._centre = centre
        self._browser = browser
        self._shortest_share = shortest_share

    def look(self, alert: Alert) -> Looked:
        """Return what is wrong with an alert's evidence, if anything."""
        clip = _of_kind(alert.evidence, "clip")
        picture = _of_kind(alert.evidence, "snapshot")
        picture_fault = "missing" if picture is None else self._picture_fault(picture)
        if clip is None:
            return Looked(alert.alert_id, picture_fault, "missing")
        try:
            decoded = decode(self._centre.evidence(clip.evidence_id)[1])
        except CentreError as error:
            return Looked(alert.alert_id, picture_fault, str(error))
        fault = clip_fault(alert, clip, decoded, self._shortest_share) or self._playing_fault(clip)
        return Looked(alert.alert_id, picture_fault, fault, decoded.seconds, decoded.frames)

    def _picture_fault(self, picture: Evidence) -> str | None:
        try:
            kind, data = self._centre.evidence(picture.evidence_id)
        except CentreError as error:
            return str(error)
        if not kind.startswith("image/jpeg") or not data.startswith(_JPEG):
            return f"no JPEG: {kind}"
        return (
            None if self._browser.shows_picture(picture.evidence_id) else "Chromium can't show it"
        )

    def _playing_fault(self, clip: Evidence) -> str | None:
        played = self._browser.play(clip.evidence_id)
        if played.error is not None:
            return f"Chromium: {played.error}"
        if played.width == 0 or played.played_s < _PLAYED_S:
            return f"Chromium played {played.played_s:.1f} s"
        return None


def clip_fault(
    alert: Alert, clip: Evidence, decoded: Decoded, shortest_share: float = _SHORTEST_SHARE
) -> str | None:
    """Return what is wrong with a decoded clip of an alert: pure."""
    if decoded.error is not None:
        return decoded.error
    if not clip.start <= alert.started_at <= clip.end:
        return "does not show the alert's start"
    stated = clip.end - clip.start
    if timedelta(seconds=decoded.seconds) < stated * shortest_share:
        return f"{decoded.seconds:.1f} s of {stated.total_seconds():.1f} s"
    return None


def _of_kind(evidence: Sequence[Evidence], kind: str) -> Evidence | None:
    return next((each for each in evidence if each.kind == kind), None)
