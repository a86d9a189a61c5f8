"""Which piece of evidence is sent next (evidence I7): pure.

After days without a link there are thousands. People look at what happens now, so a new alert's
picture overtakes them all; and so that what is old comes in the end, whatever happens meanwhile,
a share of the turns is its own.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from edge.alerts.piece import Piece
from protocol.messages import EvidenceKind, gb_priority

#: An alert is of now for so long: people are deciding about it.
FRESH = timedelta(minutes=10)
#: Of so many turns of one kind one is for the piece that has waited longest.
OLD_EVERY = 4
#: A clip goes in spite of pictures that wait once so many turns were theirs.
CLIP_EVERY = 8

#: Lower goes first.
Rank = tuple[bool, bool, int, timedelta]


def rank(piece: Piece, now: datetime) -> Rank:
    """Return a piece's place: what is of now, then pictures, then the level, then the newest."""
    age = now - piece.due
    is_clip = piece.kind is EvidenceKind.CLIP
    return age > FRESH, is_clip, gb_priority(piece.level), age


def first(pieces: Iterable[Piece], now: datetime, turn: int) -> Piece | None:
    """Return the piece of one kind that goes in its ``turn``-th turn; None where none waits.

    It is enough to give the newest of each level and the oldest of all.
    """
    by_alert = sorted(pieces, key=lambda piece: piece.alert_id)
    if turn % OLD_EVERY == OLD_EVERY - 1:
        return min(by_alert, key=lambda piece: piece.due, default=None)
    return min(by_alert, key=lambda piece: rank(piece, now), default=None)


def may_overtake(clip: Piece, picture: Piece, now: datetime, pictures_since: int) -> bool:
    """Say whether a clip may go before the first of the pictures that wait.

    It may where it is of now and they are not, and after ``pictures_since`` pictures in a row.
    """
    return rank(clip, now) < rank(picture, now) or pictures_since >= CLIP_EVERY
