import asyncio

from central.wall.feed import Cursor
from central.wall.pump import Event, Subscription


def events(count: int) -> list[Event]:
    return [Event(Cursor(0, number), b"x") for number in range(count)]


def test_a_browser_that_is_too_slow_is_let_go_and_comes_again():
    async def slow() -> list[Event | None]:
        subscription = Subscription()
        subscription.offer(events(Subscription.LIMIT))
        subscription.offer(events(1))  # one too many
        subscription.offer(events(1))  # nobody hears it any more
        await asyncio.sleep(0)
        assert subscription.ended
        return [await subscription.next(1)]

    assert asyncio.run(slow()) == [None]


def test_a_browser_that_keeps_up_gets_everything():
    async def quick() -> list[Event | None]:
        subscription = Subscription()
        subscription.offer(events(3))
        return [await subscription.next(1) for _ in range(3)]

    assert asyncio.run(quick()) == events(3)


def test_silence_is_told():
    async def silent() -> str:
        try:
            await Subscription().next(0.01)
        except TimeoutError:
            return "silence"
        return "something"

    assert asyncio.run(silent()) == "silence"


def test_a_loop_that_is_closed_hears_nothing_and_breaks_nothing():
    async def gone() -> Subscription:
        return Subscription()

    subscription = asyncio.run(gone())
    subscription.offer(events(1))
    subscription.end()
    assert subscription.ended
