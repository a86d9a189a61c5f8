"""Which of a camera's streams are the main one and the sub-stream. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

#: As the advice on sub-streams has it: larger ones are not shown side by side.
_SUB_PIXELS = 960 * 540


@dataclass(frozen=True, slots=True)
class Offer:
    """A stream that a camera offers: where, from which of its lenses, and of what kind it says.

    ``pixels`` is None where it does not say.
    """

    url: str
    source: str
    encoding: str
    pixels: int | None


def chosen(offers: Sequence[Offer]) -> tuple[Offer, Offer | None]:
    """Return the main stream, the largest, and the sub-stream, if there is one.

    That is another stream of the same lens: H.264 where there is one, of those small enough the
    largest, else the smallest. The camera's order decides where sizes don't. ``offers`` has one.
    """
    main = max(offers, key=lambda each: each.pixels or 0)
    others = [each for each in offers if each.url != main.url and each.source == main.source]
    return main, min(others, key=_unsuited, default=None)


def _unsuited(offer: Offer) -> tuple[bool, bool, int]:
    """Return how little an offer suits as a sub-stream."""
    pixels = offer.pixels or 0
    too_large = pixels > _SUB_PIXELS
    return offer.encoding != "H264", too_large, pixels if too_large else -pixels
