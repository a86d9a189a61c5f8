"""Whether a camera still shows its view: covered, blurred, moved, frozen, burnt out, dark. Pure.

A view is learned while nothing is suspected, and every picture is held against it::

    fault         what is seen                                                     for
    covered       most of the view's detail gone flat                              COVERED_S
                  much of it gone, in one colour: paint, or a lorry that stops     PATCH_S
    blacked       as covered, and black: a bag, a failed sensor, or lamps that go  COVERED_S
    blurred       fine detail gone all over, the coarse outline still the view's   BLURRED_S
    moved         outlines of another view, or of this one elsewhere               MOVED_S
    frozen        nothing changes but the camera's own clock (edge.detect.stillness)
    overexposed   half of it burnt white                                           EXPOSED_S
    underexposed  nothing brighter than black                                      EXPOSED_S

Light is not a fault: outlines don't count contrast, dusk is learned as it comes, and a camera that
turns to infrared (its colours go or come) is given IR_QUIET_S and learned anew where it still shows
the view's outlines. Nor is a reconnect: nothing is judged for RUN_QUIET_S of a new run. A fault is
over when it was not seen for CLEAR_S. Times are those of the pictures, in seconds.

A view without steady outlines (waves, noise in the dark) is held against nothing but one colour.
The limits were set on one fixed camera's footage (PETS09-S2L1) with faults made from it, and tried
on others' (make eval-pictures).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.detect.fault import PictureFault
from edge.detect.picture import WIDTH, Floats, Look, Outline
from edge.detect.stillness import Stillness

Blocks = NDArray[np.bool_]

#: Pictures that make a view; before, nothing but exposure is judged.
LEARN_LOOKS = 20
#: How long a view takes to follow what changes for good: a parked car, the season, dusk.
FOLLOW_LOOKS = 60
COVERED_S, PATCH_S, BLURRED_S, MOVED_S, EXPOSED_S, CLEAR_S = 5.0, 8.0, 6.0, 5.0, 60.0, 5.0
RUN_QUIET_S, IR_QUIET_S = 5.0, 15.0
#: A camera that was turned for good is judged by its new view after so long, as staff have seen it.
ADOPT_S = 600.0

#: Blocks with less detail than this show nothing that could go.
_TEXTURED = 3.0
#: With fewer of them, as by night, a view's outlines alone are gone by.
_LEAST_TEXTURE = 0.1
_BLACK, _MIN_GAIN = 16, 0.25
#: A block that keeps less than this share of its detail has lost it.
_LOST_SHARE, _BLURRED_SHARE = 0.25, 0.45
#: A lens that is out of focus is so everywhere; behind paint half a view may be sharp.
_SHARP_SHARE, _SHARP_BLOCKS = 0.7, 0.1
_COVERED_BLOCKS, _PATCH_BLOCKS, _BLURRED_BLOCKS = 0.6, 0.3, 0.7
#: What covers a part is of one colour: so close are the blocks it covers, in grey levels.
_ONE_COLOUR = 30.0
_BURNT_BLOCK = 0.5
#: As shares of the likeness that is usual for this camera.
_LIKE_ENOUGH = 0.85
_SHIFTED = 0.6
_UNLIKE, _SAME_COARSE, _ELSEWHERE, _STILL_THE_VIEW = 0.4, 0.5, 0.5, 0.4
#: A view whose pictures are less alike than this has no outlines to go by: waves, or noise.
_MIN_USUAL = 0.6
#: The wind shakes a mast by less, in shares of the picture's width.
_MIN_SHIFT = 0.02
#: So much of the view's outline makes a picture a view.
_ENOUGH_OUTLINE = 0.3
#: Colours that go below, or come above: infrared or day.
_GREY, _COLOURED = 1.5, 3.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The faults there are; ``is_sure`` is False while the view is not known or is not judged."""

    faults: frozenset[PictureFault]
    is_sure: bool


class _Spell:
    """Since when something is seen, and since when it is not."""

    def __init__(self, hold_s: float) -> None:
        self._hold_s = hold_s
        self._since: float | None = None
        self._gone_since: float | None = None
        self.begun_s: float | None = None  # when it became a fault

    @property
    def is_idle(self) -> bool:
        """Whether it is neither seen nor a fault."""
        return self._since is None and self.begun_s is None

    def note(self, at_s: float, *, seen: bool, hold_s: float | None = None) -> None:
        """Take whether it is seen now."""
        if seen:
            self._gone_since = None
            self._since = at_s if self._since is None else self._since
            lasted_s = at_s - self._since
            if self.begun_s is None and lasted_s >= (self._hold_s if hold_s is None else hold_s):
                self.begun_s = at_s
        else:
            self._since = None
            self._gone_since = at_s if self._gone_since is None else self._gone_since
            if at_s - self._gone_since >= CLEAR_S:
                self.begun_s = None

    def pause(self) -> None:
        """Count what is seen from later on; a fault stays one."""
        self._since = self._gone_since = None

    def begin(self, at_s: float) -> None:
        """Go on in a run whose times have nothing to do with those before."""
        self.pause()
        self.begun_s = None if self.begun_s is None else at_s

    def forget(self) -> None:
        """Begin anew."""
        self._since = self._gone_since = self.begun_s = None


class _View:
    """What a camera shows when it is well: running means over its pictures."""

    def __init__(self, first: Look) -> None:
        self.looks = 1
        self.outline, self.coarse = first.outline, first.coarse
        self.detail, self.mean = first.detail, first.mean
        self.usual = self.usual_coarse = 0.0

    def learn(self, look: Look, follow_looks: int = FOLLOW_LOOKS) -> None:
        """Draw the view towards a picture."""
        self.looks += 1
        share = 1 / min(self.looks, follow_looks)
        alike, coarse = look.outline.likeness(self.outline), look.coarse.likeness(self.coarse)
        self.usual += share * (alike - self.usual)
        self.usual_coarse += share * (coarse - self.usual_coarse)
        self.outline = _mixed(self.outline, look.outline, share)
        self.coarse = _mixed(self.coarse, look.coarse, share)
        self.detail = self.detail + np.float32(share) * (look.detail - self.detail)
        self.mean = self.mean + np.float32(share) * (look.mean - self.mean)

    @property
    def is_known(self) -> bool:
        return self.looks >= LEARN_LOOKS

    @property
    def has_outline(self) -> bool:
        return self.usual >= _MIN_USUAL

    def shows_coarsely(self, look: Look) -> bool:
        """Return whether a picture still has the view's outlines, seen from afar."""
        return look.coarse.likeness(self.coarse) >= _SAME_COARSE * max(self.usual_coarse, 1e-6)


class PictureHealth:
    """Judges one camera's pictures. Not thread-safe; lives as long as the camera is configured.

    Feed it about one picture a second, in order, or one in two while it is at ease; ``begin``
    before the first of every run. A picture that is not later than the last is not judged.
    """

    def __init__(self) -> None:
        self._view: _View | None = None
        self._last_s: float | None = None
        self._quiet_until_s = -np.inf
        self._spells = {
            PictureFault.COVERED: _Spell(COVERED_S),
            PictureFault.BLACKED: _Spell(COVERED_S),
            PictureFault.BLURRED: _Spell(BLURRED_S),
            PictureFault.MOVED: _Spell(MOVED_S),
            PictureFault.FROZEN: _Spell(0.0),
            PictureFault.OVEREXPOSED: _Spell(EXPOSED_S),
            PictureFault.UNDEREXPOSED: _Spell(EXPOSED_S),
        }
        self._stillness = Stillness()
        self._is_grey: bool | None = None
        self._odd_since_s: float | None = None
        self._is_patch = False

    @property
    def is_at_ease(self) -> bool:
        """Whether a picture in two seconds is enough: the view is known, and nothing is odd."""
        return (
            self._view is not None
            and self._view.is_known
            and self._last_s is not None
            and self._last_s >= self._quiet_until_s
            and all(spell.is_idle for spell in self._spells.values())
        )

    def begin(self) -> None:
        """Take that a new run of the stream begins; its times begin anew."""
        self._last_s = None
        self._odd_since_s = None
        self._stillness.begin()

    def judge(self, at_s: float, look: Look, *, keyed: bool = True) -> Verdict:
        """Take a picture and return how the camera is.

        ``keyed``: a key frame came since the last one (:class:`Stillness`).
        """
        if self._last_s is None:
            self._quiet_until_s = at_s + RUN_QUIET_S
            for spell in self._spells.values():
                spell.begin(at_s)
        elif at_s <= self._last_s:
            return self._verdict(is_sure=False)
        self._last_s = at_s
        is_frozen = self._stillness.is_frozen(at_s, look, keyed=keyed)
        if self._turns_grey_or_coloured(look):
            self._quiet_until_s = max(self._quiet_until_s, at_s + IR_QUIET_S)
        if at_s < self._quiet_until_s:
            for spell in self._spells.values():
                spell.pause()
            self._learn_quietly(look)
            return self._verdict(is_sure=False)
        seen = self._exposure(look) | ({PictureFault.FROZEN} if is_frozen else set())
        if self._view is not None and self._view.is_known and not look.is_burnt:
            seen |= self._against(self._view, look)
        self._note(at_s, seen)
        if not seen:
            self._learn(at_s, look)
        elif PictureFault.MOVED in seen:
            self._adopt(at_s, look)
        return self._verdict(is_sure=self._view is not None and self._view.is_known)

    # -- what is seen ------------------------------------------------------------------------------

    def _exposure(self, look: Look) -> set[PictureFault]:
        if look.is_dark:
            return {PictureFault.UNDEREXPOSED}
        return {PictureFault.OVEREXPOSED} if look.is_burnt else set()

    def _against(self, view: _View, look: Look) -> set[PictureFault]:
        """Return what is wrong with the picture by the view: the gravest alone."""
        self._is_patch = False
        if look.is_blank:
            return {PictureFault.COVERED}
        if not view.has_outline:
            return set()
        alike = look.outline.likeness(view.outline) / view.usual
        if alike < _SHIFTED and _is_elsewhere(view, look):
            return {PictureFault.MOVED}
        found = self._by_detail(view, look, is_unlike=alike < _UNLIKE)
        if found is None and alike < _UNLIKE:
            shows_another = look.outline.energy >= _ENOUGH_OUTLINE * view.outline.energy
            found = PictureFault.MOVED if shows_another else PictureFault.COVERED
        if found is PictureFault.COVERED and look.is_dark:
            found = PictureFault.BLACKED
        return set() if found is None else {found}

    def _by_detail(self, view: _View, look: Look, *, is_unlike: bool) -> PictureFault | None:
        """Return what the blocks say that have lost their detail, where the view has enough."""
        textured = view.detail >= _TEXTURED
        textured[0] = textured[-1] = False  # the camera's own words
        if float(textured.mean()) < _LEAST_TEXTURE:
            return None
        judged = textured & (look.burnt < _BURNT_BLOCK)
        kept = look.detail / np.maximum(view.detail * _gain(view, look), 1e-6)
        lost = judged & (kept < _LOST_SHARE)
        lost_share = _share(lost, textured)
        is_soft = (
            _share(judged & (kept < _BLURRED_SHARE), textured) >= _BLURRED_BLOCKS
            and _share(judged & (kept > _SHARP_SHARE), textured) <= _SHARP_BLOCKS
        )
        if is_soft and view.shows_coarsely(look):
            return PictureFault.BLURRED
        if lost_share >= _COVERED_BLOCKS and is_unlike:
            return PictureFault.COVERED
        if lost_share >= _PATCH_BLOCKS and _is_one_colour(look.mean[lost], view.mean[lost]):
            self._is_patch = True
            return PictureFault.COVERED
        return None

    # -- what becomes of it ------------------------------------------------------------------------

    def _note(self, at_s: float, seen: set[PictureFault]) -> None:
        for fault, spell in self._spells.items():
            hold_s = PATCH_S if fault is PictureFault.COVERED and self._is_patch else None
            spell.note(at_s, seen=fault in seen, hold_s=hold_s)

    def _turns_grey_or_coloured(self, look: Look) -> bool:
        view, was = self._view, self._is_grey
        if look.is_burnt or (
            view is not None and look.outline.energy < _ENOUGH_OUTLINE * view.outline.energy
        ):
            return False  # what shows no view has no colours either
        if look.colour < _GREY:
            self._is_grey = True
        elif look.colour > _COLOURED:
            self._is_grey = False
        return was is not None and self._is_grey is not was

    def _learn(self, at_s: float, look: Look) -> None:
        view = self._view
        if view is None:
            self._view = _View(look)
            return
        alike = look.outline.likeness(view.outline)
        if view.is_known and alike < _LIKE_ENOUGH * view.usual:
            # Not a fault, nor the view: a lorry that waits, or a fault that grows. It may stay.
            self._odd_since_s = at_s if self._odd_since_s is None else self._odd_since_s
            if at_s - self._odd_since_s < ADOPT_S:
                return
        else:
            self._odd_since_s = None
        view.learn(look)

    def _learn_quietly(self, look: Look) -> None:
        """Follow a change of light fast, if it still is the view; learn no view from it."""
        view = self._view
        if view is None or not view.is_known or not view.has_outline:
            return
        if look.outline.likeness(view.outline) >= _STILL_THE_VIEW * view.usual:
            view.learn(look, follow_looks=8)

    def _adopt(self, at_s: float, look: Look) -> None:
        begun_s = self._spells[PictureFault.MOVED].begun_s
        if begun_s is not None and at_s - begun_s >= ADOPT_S:
            self._view = _View(look)
            self._spells[PictureFault.MOVED].forget()

    def _verdict(self, *, is_sure: bool) -> Verdict:
        faults = frozenset(f for f, spell in self._spells.items() if spell.begun_s is not None)
        return Verdict(faults, is_sure)


def _mixed(old: Outline, new: Outline, share: float) -> Outline:
    return Outline(np.asarray(old.field + share * (new.field - old.field), np.complex64))


def _gain(view: _View, look: Look) -> np.float32:
    """Return how much less light there is than in the view: detail sinks with it at dusk."""
    light = float(look.mean.mean() - _BLACK) / max(float(view.mean.mean() - _BLACK), 1.0)
    return np.float32(min(1.0, max(_MIN_GAIN, light)))


def _share(blocks: Blocks, of: Blocks) -> float:
    return float(blocks.sum()) / float(of.sum())


def _is_one_colour(now: Floats, before: Floats) -> bool:
    """Return whether blocks that showed a view now show a patch of paint, or a hand."""
    return float(now.std()) <= min(_ONE_COLOUR, float(before.std()))


def _is_elsewhere(view: _View, look: Look) -> bool:
    right, down, alike = view.outline.shift(look.outline)
    far = max(abs(right), abs(down)) >= _MIN_SHIFT * WIDTH
    return far and alike >= _ELSEWHERE * view.usual
