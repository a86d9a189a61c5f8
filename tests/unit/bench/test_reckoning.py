from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from bench.chaos_delivery import SET_UPS, chosen_set_ups, shares
from bench.delivery_outage import out_of_order
from bench.reckoning import Chain, Folded, Reckoning, Sent, Stored

AT = datetime(2026, 11, 22, tzinfo=UTC)
A, B = uuid4(), uuid4()
OUTBOX = UUID(int=1)

SENT = tuple(
    Sent(
        sequence, uuid4(), f"{sequence:064x}", AT, has_receipt=True, alert_id=alert, ended_at=ended
    )
    for sequence, alert, ended in ((1, A, None), (2, B, None), (3, A, AT))
)
STORED = tuple(Stored(each.sequence, each.event_id, each.digest) for each in SENT)
WHOLE = Reckoning(
    box_id="box-01",
    outbox_ids=frozenset({OUTBOX}),
    sent=SENT,
    stored=STORED,
    chain=Chain(complete_to=3, broken_at=None, missing_since=None, repeated=0),
    alerts={
        A: Folded(3, AT + timedelta(seconds=2), AT, late=False),
        B: Folded(2, AT + timedelta(seconds=1), None, late=False),
    },
)


def test_what_came_whole_has_no_fault():
    assert WHOLE.faults() == []
    assert replace(WHOLE, stored=STORED[::-1]).faults() == []
    assert sorted(WHOLE.seconds_to_alert()) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("changes", "lost", "doubled"),
    [
        ({"stored": STORED[:2]}, (3,), ()),
        ({"stored": (*STORED, STORED[0])}, (), (1,)),
        ({"stored": (*STORED, Stored(4, uuid4(), "4" * 64))}, (), (4,)),
        ({"stored": (*STORED[:2], replace(STORED[2], digest="f" * 64))}, (3,), ()),
        ({"stored": (*STORED[:2], replace(STORED[2], event_id=A))}, (3,), (3,)),
    ],
    ids=["lost", "doubled", "invented", "exchanged bytes", "another event"],
)
def test_what_is_lost_and_what_is_doubled_is_counted(changes, lost, doubled):
    broken = replace(WHOLE, **changes)
    assert (broken.lost, broken.doubled) == (lost, doubled)
    assert broken.faults()


@pytest.mark.parametrize(
    "changes",
    [
        {"sent": (replace(SENT[0], has_receipt=False), *SENT[1:])},
        {"sent": (SENT[0], SENT[2]), "stored": (STORED[0], STORED[2])},
        {"outbox_ids": frozenset({OUTBOX, UUID(int=2)})},
        {"chain": None},
        {"chain": replace(WHOLE.chain, complete_to=2)},
        {"chain": replace(WHOLE.chain, broken_at=2)},
        {"chain": replace(WHOLE.chain, missing_since=AT)},
        {"alerts": {A: WHOLE.alerts[A]}},
        {"alerts": WHOLE.alerts | {uuid4(): WHOLE.alerts[B]}},
        {"alerts": WHOLE.alerts | {A: replace(WHOLE.alerts[A], sequence=1)}},
        {"alerts": WHOLE.alerts | {A: replace(WHOLE.alerts[A], ended_at=None)}},
    ],
)
def test_every_other_fault_is_named(changes):
    assert all(fault.startswith("box-01: ") for fault in replace(WHOLE, **changes).faults())
    assert replace(WHOLE, **changes).faults()


def test_a_box_that_sent_nothing_has_no_fault():
    assert Reckoning("box-01", frozenset(), (), (), None, {}).faults() == []


def test_rounds_are_dealt_out_evenly():
    assert shares(10, 4) == [3, 3, 2, 2]
    assert shares(2, 4) == [1, 1, 0, 0]


def test_only_what_comes_after_a_later_one_is_out_of_order():
    assert out_of_order([1, 2, 3, 5]) == 0
    assert out_of_order([1, 3, 2, 5, 4]) == 2


def test_the_usual_set_ups_have_one_of_three_consumers():
    assert chosen_set_ups() == list(SET_UPS)
    assert [str(each) for each in chosen_set_ups(replicas=3)] == [
        "mosquitto, postgresql, 3 consumers"
    ]
    assert sum(each.replicas == 3 for each in SET_UPS) == 1


def test_a_choice_leaves_what_was_named():
    assert [str(each) for each in chosen_set_ups(broker="embedded", database="sqlite")] == [
        "embedded, sqlite"
    ]
    assert all(each.replicas == 1 for each in chosen_set_ups(replicas=1))
    assert [each.consumers for each in chosen_set_ups(replicas=2)] == [("_centre-1", "_centre-2")]
    assert chosen_set_ups(broker="embedded", replicas=2) == []
