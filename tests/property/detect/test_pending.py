from hypothesis import given
from hypothesis import strategies as st

from edge.detect import wire
from edge.detect.pending import Pending, Want
from edge.detect.schedule import TICKS_PER_S, Due

STEP = TICKS_PER_S // 10
#: Long enough for the longest rate below.
SLACK_S = 0.11

rates = st.sampled_from([0.2, 0.5, 1.0, 2.0, 5.0])
wants = st.lists(st.tuples(rates, st.none() | st.floats(0.1, 3)), min_size=1, max_size=3)
keys = st.lists(st.booleans(), min_size=1, max_size=300)
paces = st.lists(st.none() | rates, min_size=300, max_size=300)


@given(wants, keys, paces)
def test_what_is_decoded_can_be_and_no_look_is_later_than_its_patience(given_wants, is_key, paces):
    dues = [Due(fps) for fps, _ in given_wants]
    patience = [Want(due, waits) for due, (_, waits) in zip(dues, given_wants, strict=True)]
    pending = Pending(patience)
    next_needed: int | None = None
    for number, (key, pace) in enumerate(zip([True, *is_key], [None, *paces], strict=False)):
        if pace is not None:
            for due in dues:
                due.pace(pace)
        unit = wire.Unit(0, number * STEP, number * STEP, key, b"x")
        ready = [each.dts_90k // STEP for each in pending.take(unit)]
        if ready:
            # It begins with a key frame, or goes on where the last decoding ended.
            assert ready == list(range(ready[0], number + 1))
            assert [True, *is_key][ready[0]] or ready[0] == next_needed
            next_needed = number + 1
        for want in patience:
            late_s = want.due.late_s(unit.pts_90k)
            if ready:
                want.due.is_due(unit.pts_90k)
            elif late_s is not None:
                assert late_s < want.waits_s() + SLACK_S
