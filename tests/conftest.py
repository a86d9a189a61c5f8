"""Tests that need a part this machine lacks are skipped with the package that brings it."""

import contextlib
import functools
from collections.abc import Generator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from tests.support import tools

# What a test takes on a machine that others share says nothing of the code: speed is bench/'s.
settings.register_profile(
    "shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared-machine")

#: Examples of a property that are measured: each takes the same ways, or nearly, and to be traced
#: makes a property take three times as long.
_TRACED_EXAMPLES = 8

#: When files of a kind are begun, of the whole run: whole programs and browsers keep the processors
#: busy, integration tests mostly wait, and the small ones at the end leave nobody waiting for one.
_WHEN = {"e2e": (0.0, 0.8), "integration": (0.0, 0.9), "property": (0.2, 1.0), "unit": (0.2, 1.0)}

_NEEDS = {
    "assets": (tools.assets_dir, "needs the assets folder (set TANSHAO_ASSETS)"),
    "browser": (tools.chromium_path, "needs Chromium (apt-get install chromium)"),
    "gstreamer": (tools.gstreamer_is_here, "needs gst-rtsp-server for the system's python3"),
    "mosquitto": (tools.mosquitto_path, "needs mosquitto (apt-get install mosquitto)"),
    "postgres": (tools.postgres_bin, "needs PostgreSQL (apt-get install postgresql)"),
}


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name, (find, reason) in _NEEDS.items():
        if item.get_closest_marker(name) is not None and not find():
            pytest.skip(reason)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mix the kinds of tests, file by file, so that not all that is heavy runs at once.

    The order is the same each time; within a file nothing changes.
    """
    files = [list(group) for _, group in groupby(items, key=lambda item: item.path)]
    by_kind: dict[str, list[list[pytest.Item]]] = {}
    for file in files:
        by_kind.setdefault(_kind(file[0]), []).append(file)
    placed = []
    for kind, those in by_kind.items():
        first, last = _WHEN.get(kind, (0.0, 1.0))
        placed += [
            (first + (last - first) * number / len(those), file)
            for number, file in enumerate(those)
        ]
    placed.sort(key=lambda each: each[0])
    items[:] = [item for _, file in placed for item in file]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure the coverage of unit and property tests alone, and of a property's first examples.

    Pure code is what the gate is about, and has its tests there. To be traced costs a whole centre
    or box up to twice its time.
    """
    measured = Coverage.current()
    if measured is None:
        return (yield)
    if _kind(item) in ("e2e", "integration"):
        measured.stop()
        try:
            return (yield)
        finally:
            measured.start()
    given = getattr(getattr(item, "obj", None), "hypothesis", None)
    if given is None:
        return (yield)
    with _traced_at_first(given, measured):
        return (yield)


def _kind(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


@contextlib.contextmanager
def _traced_at_first(given: Any, measured: Coverage) -> Generator[None]:
    """Let coverage go after a property's first examples; ``given`` is Hypothesis's hold on it."""
    test, count = given.inner_test, 0

    @functools.wraps(test)
    def counted(*values: Any, **named: Any) -> object:
        nonlocal count
        count += 1
        if count == _TRACED_EXAMPLES:
            measured.stop()
        return test(*values, **named)

    given.inner_test = counted
    try:
        yield
    finally:
        given.inner_test = test
        # Started once more while it runs, it would no longer stop for the next one.
        if count >= _TRACED_EXAMPLES:
            measured.start()
