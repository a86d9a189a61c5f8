import base64
import hashlib
import re

from hypothesis import given
from hypothesis import strategies as st

from village.testcam.auth import Gate
from village.testcam.programme import Credentials


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def digest_header(gate, password, uri="rtsp://h/cam"):
    nonce = re.search(r'nonce="(\w+)"', gate.challenge()).group(1)
    answer = md5(f"{md5(f'camera:tanshao:{password}')}:{nonce}:{md5(f'PLAY:{uri}')}")
    return (
        f'Digest username="camera", realm="tanshao", nonce="{nonce}", '
        f'uri="{uri}", response="{answer}"'
    )


def test_a_gate_without_credentials_is_open():
    assert Gate(None).opens("PLAY", "rtsp://h/cam", "")


def test_digest_opens_for_the_right_password_only():
    gate = Gate(Credentials("digest", "camera", "geheim"))
    assert gate.opens("PLAY", "rtsp://h/cam", digest_header(gate, "geheim"))
    assert not gate.opens("PLAY", "rtsp://h/cam", digest_header(gate, "falsch"))
    assert not gate.opens("SETUP", "rtsp://h/cam", digest_header(gate, "geheim"))


def test_digest_refuses_another_servers_nonce():
    here, there = (Gate(Credentials("digest", "camera", "geheim")) for _ in range(2))
    assert not here.opens("PLAY", "rtsp://h/cam", digest_header(there, "geheim"))


def test_basic_opens_for_the_right_pair_only():
    gate = Gate(Credentials("basic", "camera", "geheim"))
    assert gate.challenge() == 'Basic realm="tanshao"'
    right, wrong = (base64.b64encode(pair).decode() for pair in (b"camera:geheim", b"camera:x"))
    assert gate.opens("PLAY", "", f"Basic {right}")
    assert not gate.opens("PLAY", "", f"Basic {wrong}")
    assert not gate.opens("PLAY", "", f"Digest {right}")


@given(st.sampled_from(["basic", "digest"]), st.text(max_size=200))
def test_no_made_up_header_opens(kind, header):
    assert not Gate(Credentials(kind, "camera", "geheim")).opens("PLAY", "rtsp://h/cam", header)
