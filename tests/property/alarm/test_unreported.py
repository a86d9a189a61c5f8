from hypothesis import given
from hypothesis import strategies as st

from edge.alarm.unreported import Unreported
from protocol.messages import AlertOp
from tests.support.desk_box import occurrence

REGIONS = ["a", "b", "c"]
LIMIT = 2 * len(REGIONS) + 1  # with fewer places an alert could have none for its START and END
#: What happens: the next thing of a region, or the desk takes the first.
steps = st.lists(
    st.tuples(st.sampled_from([*REGIONS, "desk"]), st.booleans(), st.integers(0, 60)), max_size=200
)


class Desk:
    """What is open, and the peak of each, as the desk would have it."""

    def __init__(self):
        self.peaks = {}

    def report(self, said):
        key = said.region_id
        if said.op is AlertOp.START:
            assert key not in self.peaks, "a START where one is open"
        if said.op is AlertOp.END:
            assert key in self.peaks, "an END of nothing"
            del self.peaks[key]
        else:
            self.peaks[key] = max(self.peaks.get(key, 0), said.count, said.peak)


@given(steps)
def test_an_overflow_opens_and_ends_nothing(given_steps):
    waiting, true, late = Unreported(LIMIT), Desk(), Desk()

    def take():
        if (first := waiting.first()) is not None:
            late.report(first)
            waiting.done(first)

    for who, ends, count in given_steps:
        if who == "desk":
            take()
            continue
        is_open = who in true.peaks
        op = AlertOp.START if not is_open else AlertOp.END if ends else AlertOp.UPDATE
        said = occurrence(op, region_id=who, count=count)
        true.report(said)
        waiting.add(said)
        assert len(waiting) <= LIMIT
    while len(waiting):
        take()
    assert late.peaks.keys() == true.peaks.keys()
    if not waiting.dropped:
        assert late.peaks == true.peaks
