"""ONVIF devices that nobody here wrote; what is not installed is skipped (make onvif-peers)."""

from datetime import timedelta

import pytest

from bench import onvif_peers, stepped_clock
from protocol.clock import SystemClock

needs_ipycam = pytest.mark.skipif(
    onvif_peers.ipycam_python() is None, reason="needs ipycam and ffmpeg (.ci/onvif-peers)"
)
needs_mock = pytest.mark.skipif(
    onvif_peers.mock_folder() is None, reason="needs npm's onvif mock and Node (.ci/onvif-peers)"
)
needs_lighttpd = pytest.mark.skipif(
    onvif_peers.lighttpd() is None, reason="needs lighttpd (apt-get install lighttpd)"
)
needs_faketime = pytest.mark.skipif(
    stepped_clock.library() is None, reason="needs libfaketime (apt-get install libfaketime)"
)


@needs_ipycam
def test_ipycam_is_found_asked_and_played(tmp_path):
    assert onvif_peers.with_ipycam(tmp_path, SystemClock(), off=timedelta(0)) == []


@needs_ipycam
@needs_faketime
def test_a_camera_with_a_dead_clock_that_wants_a_login_even_for_it_is_asked(tmp_path):
    """No library that is maintained gets past this one."""
    assert onvif_peers.with_ipycam(tmp_path, SystemClock(), off=timedelta(days=-700)) == []


@needs_ipycam
@needs_lighttpd
def test_a_camera_behind_a_web_server_that_wants_a_digest_is_asked(tmp_path):
    assert onvif_peers.with_digest(tmp_path, SystemClock()) == []


@needs_mock
def test_captured_replies_of_a_real_camera_behind_a_nat_are_read(tmp_path):
    assert onvif_peers.with_mock(tmp_path, SystemClock()) == []
