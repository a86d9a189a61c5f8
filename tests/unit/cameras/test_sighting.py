import pytest

from bench.onvif_answers import probe_match
from edge.cameras import sighting, soap
from edge.errors import CameraBadXml, CameraBlocked

ASKED = {"urn:uuid:1"}


def test_a_camera_that_answers_is_seen_with_its_name_and_door():
    (seen,) = sighting.read(
        probe_match("urn:uuid:1", "http://192.168.1.64:2020/onvif/service"), "192.168.1.64", ASKED
    )
    assert [door.url for door in seen.doors] == ["http://192.168.1.64:2020/onvif/service"]
    assert (seen.name, seen.hardware) == ("Village Cam", "Bullet 4")
    assert (seen.endpoint, seen.foreign) == ("urn:uuid:camera", 0)


def test_addresses_of_other_hosts_are_counted_and_not_kept():
    claimed = (
        "http://169.254.169.254/x http://192.168.1.65/x http://router.lan/x ftp://192.168.1.64/"
    )
    (seen,) = sighting.read(
        probe_match("urn:uuid:1", f"{claimed} http://192.168.1.64/x"), "192.168.1.64", ASKED
    )
    assert [door.address for door in seen.doors] == ["192.168.1.64"]
    assert seen.foreign == 4


def test_an_ipv6_address_beside_is_not_held_against_a_camera():
    claimed = "http://192.168.1.64/x http://[fe80::1]/x"
    (seen,) = sighting.read(probe_match("urn:uuid:1", claimed), "192.168.1.64", ASKED)
    assert (len(seen.doors), seen.foreign) == (1, 0)


def test_an_answer_to_nobodys_question_is_none():
    assert sighting.read(probe_match("urn:uuid:2", "http://10.0.0.1/"), "10.0.0.1", ASKED) == ()


def test_a_camera_without_an_endpoint_is_known_by_its_address():
    answer = probe_match("urn:uuid:1", "http://10.0.0.1/", endpoint="")
    assert sighting.read(answer, "10.0.0.1", ASKED)[0].endpoint == "10.0.0.1"


def test_a_camera_that_says_nothing_of_itself_has_no_name():
    answer = probe_match("urn:uuid:1", "http://10.0.0.1/").replace(b"onvif.org/", b"example/")
    (seen,) = sighting.read(answer, "10.0.0.1", ASKED)
    assert (seen.name, seen.hardware) == ("", "")


def test_an_answer_that_tells_of_many_is_cut():
    answer = probe_match("urn:uuid:1", "http://10.0.0.1/", times=100)
    assert len(sighting.read(answer, "10.0.0.1", ASKED)) == 8


@pytest.mark.parametrize(
    ("datagram", "kind"), [(b"hello", CameraBadXml), (b"<!DOCTYPE a><a/>", CameraBlocked)]
)
def test_what_is_no_answer_has_a_kind(datagram, kind):
    with pytest.raises(kind):
        sighting.read(datagram, "10.0.0.1", ASKED)


def test_a_question_asks_for_a_type_by_the_name_that_all_cameras_know():
    root = soap.parsed(sighting.probe("urn:uuid:1", *sighting.TYPES[0]))
    types = root.find(f".//{{{sighting.DISCOVERY}}}Types")
    assert types.text == "dn:NetworkVideoTransmitter"
    assert types.nsmap["dn"] == "http://www.onvif.org/ver10/network/wsdl"
