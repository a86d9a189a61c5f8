import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bench.delivery import Delivery, read

A = "01890000-0000-7000-8000-00000000000a"
B = "01890000-0000-7000-8000-00000000000b"

WHOLE = Delivery(
    last_sent=3,
    waiting=0,
    received=(1, 2, 3),
    box_alerts=frozenset({A, B}),
    centre_alerts=frozenset({A, B}),
    quarantined=0,
    fired={},
)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"received": (1, 3)}, {"holes": (2,)}),
        ({"received": (1, 2, 2, 3)}, {"doubled": (2,)}),
        ({"centre_alerts": frozenset({A})}, {"lost": frozenset({B})}),
        ({"box_alerts": frozenset({A})}, {"invented": frozenset({B})}),
        ({"waiting": 1}, {"waiting": 1}),
        ({"quarantined": 1}, {"quarantined": 1}),
    ],
)
def test_what_is_wrong_with_a_delivery_is_named(changes, named):
    broken = replace(WHOLE, **changes)
    assert not broken.whole
    assert {name: getattr(broken, name) for name in named} == named


def test_a_delivery_in_any_order_is_whole():
    assert WHOLE.whole
    assert replace(WHOLE, received=(2, 1, 3)).whole


def test_both_databases_are_read(tmp_path):
    box, centre = tmp_path / "box.db", tmp_path / "centre.db"
    with sqlite3.connect(box) as database:
        database.execute("create table outbox (seq integer, receipt_us integer)")
        database.execute("create table alert (alert_id text)")
        database.executemany("insert into outbox values (?, ?)", [(1, 5), (2, None)])
        database.execute("insert into alert values (?)", (A,))
    database.close()
    with sqlite3.connect(centre) as database:
        database.execute("create table box_event (id, box_id, sequence, payload)")
        database.execute("create table alert (id text, box_id text)")
        database.execute("create table quarantine (digest text)")
        for number, op in ((1, "start"), (2, "end")):
            payload = {"time": f"2026-11-22T00:00:0{number}Z", "data": {"op": op, "alert_id": A}}
            database.execute(
                "insert into box_event values (?, 'box-1', ?, ?)",
                (number, number, json.dumps(payload)),
            )
        database.execute("insert into box_event values (9, 'box-2', 7, '{}')")
        database.execute("insert into alert values (?, 'box-1')", (UUID(A).hex,))
    database.close()
    assert read(box, centre, "box-1") == Delivery(
        last_sent=2,
        waiting=1,
        received=(1, 2),
        box_alerts=frozenset({A}),
        centre_alerts=frozenset({A}),
        quarantined=0,
        fired={A: datetime(2026, 11, 22, 0, 0, 1, tzinfo=UTC)},
    )
