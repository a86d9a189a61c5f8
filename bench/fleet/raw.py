"""What the broker and the database do by themselves, as a measure for the consumer."""

import asyncio
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL

from bench.centre_rig import CENTRE_TOKEN, token_of
from bench.delivery_box import configuration
from bench.fleet.connection import Address, Connection
from bench.fleet.outbox import FleetOutbox
from bench.fleet.packets import Publish
from protocol.clock import SystemClock
from protocol.topics import CENTRE_USER, EPOCH, UPLINK_FILTERS, BoxTopic, Leaf

#: The tables that a batch of alerts goes to, in the order of their references.
TABLES = ("box_event", "alert", "alert_duty", "alert_ledger", "feed")

_CLOCK = SystemClock()
_UNDER_WAY = 64
_WITHIN_S = 15.0
_KEEPALIVE_S = 60
#: Nothing for so long, after all was sent: nothing more comes.
_QUIET_S = 1.0
_LIMIT_S = 600.0


def subscribe_rate(port: int, region: str, names: Sequence[str], messages: int) -> float:
    """Return how many messages a second a subscriber counts that does nothing else.

    The messages are alerts, at QoS 1 from so many connections, at most 64 under way on each; the
    subscriber acknowledges at once. They are made before the time begins. Senders that outrun the
    subscriber by all that the broker queues lose the rest: the rate is of what came.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return asyncio.run(_count(port, messages, pool, (port, region, list(names), messages)))


async def _count(
    port: int, messages: int, pool: ProcessPoolExecutor, given: tuple[int, str, list[str], int]
) -> float:
    times: list[int] = []

    def heard(message: Publish) -> None:
        if message.topic.endswith(f"/{Leaf.EVENT}"):
            times.append(_CLOCK.monotonic_ns())

    connection = await _open(port, CENTRE_USER, UPLINK_FILTERS, heard)
    async with asyncio.timeout(_LIMIT_S):
        await asyncio.get_running_loop().run_in_executor(pool, _flood, *given)
        before = -1
        while len(times) not in {messages, before}:
            before = len(times)
            await asyncio.sleep(_QUIET_S)
    connection.close()
    return rate(times)


def rate(times_ns: Sequence[int]) -> float:
    """Return how many a second came between the first and the last: pure."""
    return (len(times_ns) - 1) * 1e9 / max(times_ns[-1] - times_ns[0], 1)


def _flood(port: int, region: str, names: list[str], messages: int) -> None:
    asyncio.run(_flood_all(port, region, names, messages))


async def _flood_all(port: int, region: str, names: list[str], messages: int) -> None:
    payloads = []
    for number, name in enumerate(names):
        outbox = FleetOutbox(
            configuration(Path("/nowhere"), name, region), random.Random(number), _CLOCK.now()
        )
        count = messages // len(names) + (number < messages % len(names))
        numbers = [outbox.report(_CLOCK.now()) for _ in range(count)]
        payloads.append([parcel.payload for parcel in outbox.parcels(numbers, _CLOCK.now())])
    async with asyncio.TaskGroup() as group:
        for name, own in zip(names, payloads, strict=True):
            topic = str(BoxTopic(region, name, Leaf.EVENT))
            group.create_task(_send(port, name, topic, own))


async def _send(port: int, name: str, topic: str, payloads: list[bytes]) -> None:
    room = asyncio.Semaphore(_UNDER_WAY)
    connection = await _open(port, name, (), lambda _: None, room)
    for payload in payloads:
        await room.acquire()
        connection.publish(topic, payload, 1)
    for _ in range(_UNDER_WAY):
        await room.acquire()
    connection.close()


async def _open(
    port: int,
    name: str,
    topics: Sequence[str],
    heard: Callable[[Publish], None],
    room: asyncio.Semaphore | None = None,
) -> Connection:
    password = CENTRE_TOKEN if name == CENTRE_USER else token_of(name)
    return await Connection.open(
        Address("127.0.0.1", port, name, password, _KEEPALIVE_S),
        None,
        topics or (EPOCH,),
        heard,
        _WITHIN_S,
        None if room is None else room.release,
    )


@dataclass(frozen=True, slots=True)
class InsertRates:
    """Events a second: with every row that the centre wrote for them, and their own row alone."""

    every_row: float
    event_alone: float


def insert_rates(url: URL, batch: int) -> InsertRates:
    """Insert what the centre has stored once more, into tables of the same shape, and return rates.

    The same rows, indexes and checks, as many events a transaction, each table's rows by one
    executemany of the driver, values ready to send; no foreign keys, and nothing is looked up.
    """
    with psycopg.connect(
        host=url.host, port=url.port, user=url.username, dbname=url.database
    ) as connection:
        copies = {table: _Copy.of(connection, table) for table in TABLES}
        events = len(copies["box_event"].rows)
        alone = _insert(connection, [copies["box_event"]], events, batch)
        return InsertRates(_insert(connection, list(copies.values()), events, batch), alone)


@dataclass(frozen=True, slots=True)
class _Copy:
    """A table to insert into, and the rows that go there."""

    name: str
    statement: sql.Composed
    rows: list[tuple[Any, ...]]

    @classmethod
    def of(cls, connection: psycopg.Connection, table: str) -> "_Copy":
        name = f"raw_{table}"
        columns = connection.execute(
            "select column_name, data_type from information_schema.columns"
            " where table_schema = 'public' and table_name = %s order by ordinal_position",
            (table,),
        ).fetchall()
        connection.execute(
            sql.SQL("create table {} (like {} including all)").format(
                sql.Identifier(name), sql.Identifier(table)
            )
        )
        # A document as its text: to write it is no work of the database's.
        wanted = [
            sql.SQL("{}::text" if kind == "jsonb" else "{}").format(sql.Identifier(column))
            for column, kind in columns
        ]
        places = [sql.SQL("%s::jsonb" if kind == "jsonb" else "%s") for _, kind in columns]
        rows = connection.execute(
            sql.SQL("select {} from {}").format(sql.SQL(", ").join(wanted), sql.Identifier(table))
        ).fetchall()
        connection.commit()
        insert = sql.SQL("insert into {} values ({})").format(
            sql.Identifier(name), sql.SQL(", ").join(places)
        )
        return cls(name, insert, rows)


def _insert(
    connection: psycopg.Connection, copies: Sequence[_Copy], events: int, batch: int
) -> float:
    for copy in copies:
        connection.execute(sql.SQL("truncate {}").format(sql.Identifier(copy.name)))
    connection.commit()
    batches = -(-events // batch)
    left = [(copy, iter(copy.rows), -(-len(copy.rows) // batches)) for copy in copies]
    began_ns = _CLOCK.monotonic_ns()
    with connection.cursor() as cursor:
        for _ in range(batches):
            for copy, rows, count in left:
                if part := list(islice(rows, count)):
                    cursor.executemany(copy.statement, part)
            connection.commit()
    return events * 1e9 / (_CLOCK.monotonic_ns() - began_ns)
