"""Waiting for what will be true soon."""

import asyncio
from collections.abc import Callable

_POLL_S = 0.01


async def eventually(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Return once ``condition`` holds; fail after ``within_s``."""
    try:
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - any condition, not an event of ours
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise AssertionError(f"not within {within_s:g} s: {condition}") from None
