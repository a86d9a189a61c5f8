"""How far a camera's clock is off, by what it says of its time while it plays. Pure.

A sender report has the camera's clock in it. It can't arrive before it was sent, and some arrive
late: the middle one of some minutes is believed. Arrivals are of the monotonic clock, so that a
wall clock that is set moves what was heard before along with it.
"""

from datetime import UTC, datetime, timedelta
from statistics import median

_NTP_PER_S = 1 << 32
_NS_PER_S = 1_000_000_000
#: NTP counts from 1900 and begins anew after so many seconds, the next time in 2036.
_ERA_S = 1 << 32
_NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)
#: What is said of an earlier time, or of one so far ahead, is no clock: cameras that have none say
#: for how long they have run, since 1900 or since 1970, and some forget that NTP begins in 1900.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
MOST_AHEAD = timedelta(days=366)

WINDOW_S = 300.0
#: Cameras report every 5 s or so; one that does so more often is not heard more often.
_APART_S = 2.0
#: Reports for an answer that something is done by.
FEWEST = 5
#: Half of the reports are as near as this to the middle one, or what they say is no clock: one that
#: stands still, or leaps.
MOST_SPREAD = timedelta(seconds=2)


class SenderClock:
    """The clock of whoever sends one stream, over all of its connections.

    One thread calls :meth:`take`; any may ask :meth:`offset`. Of five minutes at most 151 reports
    are kept.
    """

    def __init__(self) -> None:
        #: Arrival by the monotonic clock, and NTP's time less that: replaced in one step.
        self._heard: tuple[tuple[int, int], ...] = ()

    def take(self, ntp: int, mono_ns: int) -> None:
        """Take the time (seconds since 1900 in 1/2^32) of a report that arrived at ``mono_ns``."""
        heard = self._heard
        if heard and mono_ns - heard[-1][0] < _APART_S * _NS_PER_S:
            return
        said_ns = ntp * _NS_PER_S // _NTP_PER_S
        oldest_ns = mono_ns - round(WINDOW_S * _NS_PER_S)
        kept = tuple(each for each in heard if each[0] >= oldest_ns)
        self._heard = (*kept, (mono_ns, said_ns - mono_ns))

    def offset(self, now: datetime, mono_ns: int, fewest: int = FEWEST) -> timedelta | None:
        """Return the camera's clock less ours, which read ``now`` and ``mono_ns`` just now.

        None where fewer than ``fewest`` reports of the last five minutes are there, and where what
        they say is no clock.
        """
        oldest_ns = mono_ns - round(WINDOW_S * _NS_PER_S)
        leads = [lead for arrived_ns, lead in self._heard if arrived_ns >= oldest_ns]
        if len(leads) < max(fewest, 1):
            return None
        middle = int(median(leads))
        spread_ns = median(abs(lead - middle) for lead in leads)
        if spread_ns > MOST_SPREAD / timedelta(seconds=1) * _NS_PER_S:
            return None
        told = _told(middle + mono_ns, now)
        return told - now if EARLIEST <= told <= now + MOST_AHEAD else None


def _told(ntp_ns: int, now: datetime) -> datetime:
    """Return the time nearest to ``now`` that NTP may mean."""
    told = timedelta(microseconds=ntp_ns // 1000)
    era = timedelta(seconds=_ERA_S)
    eras = round((now - _NTP_EPOCH - told) / era)
    return _NTP_EPOCH + told + eras * era
