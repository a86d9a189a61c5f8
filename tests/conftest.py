"""Tests that need a part this machine lacks are skipped with the package that brings it."""

from collections.abc import Generator
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import HealthCheck, settings

from tests.support import tools

# What a test takes on a machine that others share says nothing of the code: speed is bench/'s.
settings.register_profile(
    "shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared-machine")

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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure the coverage of unit and property tests alone.

    Pure code is what the gate is about, and has its tests there. To be traced costs a whole centre
    or box up to twice its time.
    """
    kind = item.path.relative_to(Path(__file__).parent).parts[0]
    measured = Coverage.current() if kind in ("e2e", "integration") else None
    if measured is None:
        return (yield)
    measured.stop()
    try:
        return (yield)
    finally:
        measured.start()
