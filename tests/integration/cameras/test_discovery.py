"""Devices that answer a multicast question, on the loopback interface."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bench.onvif_answers import probe_match
from edge.cameras import discovery, soap
from edge.cameras.discovery import GROUP, Found
from protocol.clock import SystemClock

LOOPBACK = "127.0.0.1"
#: Long enough on a busy machine: listening ends early in no test.
LISTEN_S = 1.0

Answers = Callable[[str], list[bytes]]


@contextmanager
def responder(answers: Answers) -> Iterator[int]:
    """Answer each probe that comes in by multicast, from a port of its own."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as heard:
        heard.bind(("", 0))
        member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton(LOOPBACK))
        heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        port = heard.getsockname()[1]
        thread = threading.Thread(target=answer_all, args=(heard, answers))
        thread.start()
        try:
            yield port
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
                stopper.sendto(b"stop", (LOOPBACK, port))
            thread.join()


def answer_all(heard: socket.socket, answers: Answers) -> None:
    while (got := heard.recvfrom(65_535))[0] != b"stop":
        probe, sender = got
        message_id = soap.parsed(probe).findtext(".//{*}MessageID")
        for answer in answers(message_id):
            heard.sendto(answer, sender)


def found(answers: Answers, interfaces: tuple[str, ...] = (LOOPBACK,)) -> Found:
    with responder(answers) as port:
        return discovery.discover(interfaces, SystemClock(), seconds=LISTEN_S, port=port)


def match(message_id: str, endpoint: str, address: str = LOOPBACK) -> bytes:
    return probe_match(message_id, f"http://{address}:8080/onvif/x", endpoint=endpoint)


def test_a_camera_that_answers_is_found_once_with_its_door():
    got = found(lambda asked: [match(asked, "urn:uuid:a")] * 2)
    (camera,) = got.sightings
    assert [door.url for door in camera.doors] == ["http://127.0.0.1:8080/onvif/x"]
    assert (got.malformed, got.dropped, got.silent) == (0, 0, ())


def test_an_answer_that_points_elsewhere_has_no_door():
    (camera,) = found(lambda asked: [match(asked, "urn:uuid:a", "169.254.169.254")]).sightings
    assert (camera.doors, camera.foreign, camera.sender) == ((), 1, LOOPBACK)


def test_answers_that_can_not_be_read_are_counted_and_hide_nobody():
    rubbish = [b"", b"\xff" * 1400, b"<!DOCTYPE a><a/>", b"<a/>"]
    got = found(lambda asked: [*rubbish, match(asked, "urn:uuid:a"), match("urn:x", "b")])
    assert len(got.sightings) == 1
    assert got.malformed == 4 * 5  # each of the four questions was answered so


def test_a_device_that_makes_others_up_crowds_nobody_out():
    got = found(lambda asked: [match(asked, f"urn:uuid:{number}") for number in range(20)])
    assert len(got.sightings) == 8
    assert got.dropped >= 12


def test_an_interface_that_takes_no_question_is_named():
    got = found(lambda asked: [match(asked, "urn:uuid:a")], ("203.0.113.7", LOOPBACK))
    assert got.silent == ("203.0.113.7",)
    assert len(got.sightings) == 1


def test_where_nobody_answers_nobody_is_found():
    assert found(lambda _asked: []).sightings == ()


def test_the_loopback_is_no_network_to_look_in():
    assert not any(address.startswith("127.") for address in discovery.interfaces())


@pytest.mark.parametrize("address", discovery.interfaces())
def test_an_interface_is_named_by_an_address_of_this_machine(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.bind((address, 0))
