import pytest
from hypothesis import given
from hypothesis import strategies as st

from village.testcam.clip import Clip, Coding, Unit, split_nals

AUD = b"\x00\x00\x00\x01\x09\xf0"
SPS, PPS, IDR, P = b"\x67\x42\xc0\x0d\x01", b"\x68\xce\x01", b"\x65\x88\x01", b"\x41\x9a\x01"


def annexb(*nals):
    return b"".join(b"\x00\x00\x00\x01" + nal for nal in nals)


def test_a_delimiter_begins_an_access_unit():
    clip = Clip.parse(AUD + annexb(SPS, PPS, IDR, IDR) + AUD + annexb(P), Coding.H264)
    assert clip == Clip(
        Coding.H264,
        (Unit((SPS, PPS, IDR, IDR), is_key=True), Unit((P,), is_key=False)),
        (SPS, PPS),
    )


def test_every_key_frame_brings_its_parameter_sets():
    clip = Clip.parse(AUD + annexb(SPS, PPS, IDR) + AUD + annexb(IDR), Coding.H264)
    assert clip.units[1] == Unit((SPS, PPS, IDR), is_key=True)


def test_what_comes_before_the_first_delimiter_is_left_out():
    assert Clip.parse(annexb(P) + AUD + annexb(SPS, PPS, IDR), Coding.H264).units == (
        Unit((SPS, PPS, IDR), is_key=True),
    )


def test_h265_is_read_by_its_own_types():
    aud, vps, sps, pps = b"\x46\x01\x50", b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc1"
    idr, trail = b"\x26\x01\xaf", b"\x02\x01\xd0"
    clip = Clip.parse(annexb(aud, vps, sps, pps, idr, aud, trail), Coding.H265)
    assert clip == Clip(
        Coding.H265,
        (Unit((vps, sps, pps, idr), is_key=True), Unit((trail,), is_key=False)),
        (vps, sps, pps),
    )
    assert clip.sdp_lines(96) == [
        "a=rtpmap:96 H265/90000",
        "a=fmtp:96 sprop-vps=QAEM;sprop-sps=QgEB;sprop-pps=RAHB",
    ]


def test_the_sdp_names_profile_and_parameter_sets():
    clip = Clip.parse(AUD + annexb(SPS, PPS, IDR), Coding.H264)
    assert clip.sdp_lines(96) == [
        "a=rtpmap:96 H264/90000",
        "a=fmtp:96 packetization-mode=1;profile-level-id=42c00d;sprop-parameter-sets=Z0LADQE=,aM4B",
    ]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.mp4", b"", "must end in .h264 or .h265"),
        ("a.h264", b"", "must begin with a delimiter and a key frame"),
        ("a.h264", AUD + annexb(P), "must begin with a delimiter and a key frame"),
    ],
)
def test_a_file_that_can_not_be_looped_is_refused(name, data, words, tmp_path):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(ValueError, match=words):
        Clip.load(path)


nals = st.lists(
    st.binary(min_size=1, max_size=40).map(
        # what an encoder makes: no start code inside, no zero at the end
        lambda body: b"\x41" + body.replace(b"\x00", b"\x02")
    ),
    max_size=20,
)


@given(nals)
def test_nals_survive_being_joined_and_split(parts):
    assert split_nals(annexb(*parts)) == parts


@given(st.binary(max_size=400), st.sampled_from(Coding))
def test_any_bytes_are_read_without_an_error(data, coding):
    clip = Clip.parse(data, coding)
    assert all(unit.nals for unit in clip.units)
