"""Whatever a camera sends is a value or a CameraError: nothing else gets through."""

import contextlib
import copy
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from bench import onvif_answers
from bench.fuzz import mutated
from bench.onvif_answers import (
    envelope,
    messages,
    notification,
    probe_match,
    response,
    time_of,
)
from edge.cameras import camera_clock, event, reading, sighting, soap
from edge.cameras.door import Door, Uri
from edge.cameras.media import Media, Profile
from edge.cameras.picture import Picture
from edge.cameras.services import Services
from edge.cameras.transport import Answer
from edge.errors import CameraBlocked, CameraError

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
NAMESPACES = (soap.MEDIA1, soap.MEDIA2, soap.PTZ, soap.IMAGING, soap.EVENTS)
DOOR = Door.parse("http://192.168.1.64:8000")
OTHER = probe_match("urn:uuid:1", "http://10.0.0.1/onvif http://10.0.0.2/ x", times=3)
SEEDS = (
    OTHER,
    envelope(messages(notification("tns1:VideoSource/MotionAlarm", "State", "true") * 3)),
    envelope(time_of(NOW)),
)

damaged = st.builds(
    lambda seed, chance: mutated(seed, OTHER, random.Random(chance)),
    st.sampled_from(SEEDS),
    st.integers(0, 2**32),
)
anything = st.one_of(st.binary(max_size=200), damaged)


@given(anything)
def test_a_datagram_is_sightings_of_its_sender_or_a_refusal(datagram):
    with contextlib.suppress(CameraError):
        for seen in sighting.read(datagram, "10.0.0.1", {"urn:uuid:1"}):
            assert {door.address for door in seen.doors} <= {"10.0.0.1"}
            assert seen.name.isprintable()


@given(anything, st.integers(100, 599))
def test_an_answer_is_an_element_or_a_refusal(document, status):
    with contextlib.suppress(CameraError):
        body = soap.checked(status, document)
        assert status < 400
        if body is not None:
            reading.tree(body)
            with contextlib.suppress(CameraError):
                camera_clock.from_answer(body, NOW)
        batch = event.read(body, NOW)
        assert all(one.topic.isprintable() for one in batch.events)


hosts = st.one_of(
    st.ip_addresses().map(str),
    st.sampled_from(["localhost", "", "evil.example", "169.254.169.254", "[::1]", "0.0.0.0"]),
    st.text(max_size=30),
)
addresses = st.one_of(
    st.text(max_size=80),
    st.builds(
        "{}://{}{}/{}".format,
        st.sampled_from(["http", "https", "rtsp", "rtsps", "file", "HTTP"]),
        hosts,
        st.sampled_from(["", ":80", ":8554:554", ":0", ":x", "@192.168.1.64", "%00"]),
        st.text(max_size=20),
    ),
)


class Line:
    """Answers every question with the same bytes, as a session hands them on."""

    door = DOOR

    def __init__(self, body: bytes) -> None:
        self._body = body

    def ask(self, _url: str, _envelope: object, _action: str) -> tuple[soap.Element, Answer]:
        return soap.checked(200, self._body), Answer(200, self._body, "", None)


def answers() -> Iterator[bytes]:
    for operation, (prefix, inner) in onvif_answers.ANSWERS.items():
        yield envelope(response(prefix, operation, inner))
    yield envelope(onvif_answers.capabilities("http://192.168.1.64"))
    for operation, inner in onvif_answers.ANSWERS2.items():
        yield envelope(response("tr2", operation, inner))


def distorted(document: bytes, chance: random.Random) -> bytes:
    """Return a document that is well-formed still, and says something else."""
    root = soap.parsed(document)
    for _ in range(chance.randrange(1, 6)):
        body = root.find(".//{*}Body")
        elements = list(body.iterdescendants())
        if not elements:
            break
        one, other = chance.choice(elements), chance.choice(elements)
        match chance.randrange(6):
            case 0:
                one.text = chance.choice(
                    ("", "x", "-1", "1e999", "99999999999999999999", "村", "NaN")
                )
            case 1:
                one.getparent().remove(one)
            case 2:
                one.append(copy.deepcopy(other))
            case 3:
                one.tag = other.tag
            case 4:
                one.set(chance.choice(("token", "x", "GovLength", "{u:x}y")), "1.5e")
            case _:
                one.getparent().append(copy.deepcopy(one))
    return soap.written(root)


distorted_answers = st.builds(
    lambda seed, chance: distorted(seed, random.Random(chance)),
    st.sampled_from(tuple(answers())),
    st.integers(0, 2**32),
)


@given(distorted_answers)
def test_a_distorted_answer_is_a_value_or_a_refusal_to_every_question(body):
    services = Services(Line(body))
    services._known = {name: Uri("http://192.168.1.64/x") for name in NAMESPACES}
    media, picture = Media(services), Picture(services)
    profile = Profile("p", "p", soap.MEDIA1, "s", "", None, None, None, None, None, has_ptz=False)
    for question in (
        lambda: Services(Line(body)).known(),
        lambda: services.call("devicemgmt", "GetDeviceInformation"),
        lambda: services.call("ptz", "GetPresets", ProfileToken="p"),
        media.profiles,
        lambda: media.stream(profile),
        lambda: picture.imaging("s"),
        picture.overlays,
    ):
        with contextlib.suppress(CameraError):
            question()


@given(addresses)
def test_no_address_of_a_camera_leads_to_another_host(claimed):
    for place, schemes in ((DOOR.service, {"http", "https"}), (DOOR.stream, {"rtsp", "rtsps"})):
        try:
            uri = place(claimed)
        except CameraBlocked:
            continue
        parts = urlsplit(uri.url)
        assert parts.hostname == "192.168.1.64"
        assert parts.scheme in schemes
        assert "@" not in parts.netloc
        assert uri.url.isprintable() or not uri.url.isascii()


@given(addresses)
def test_a_door_has_a_host_or_is_none(typed):
    with contextlib.suppress(ValueError):
        door = Door.parse(typed)
        again = Door.parse(door.url)
        assert again.url == door.url
        assert door.address == "" or ip_address(door.address)
