import re

import av
import pytest

from edge.errors import MediaError
from edge.media import nal
from edge.media.nal import NalRole
from edge.media.parameters import ParameterCollector, mime_codec
from edge.media.sample import Codec
from tests.support.packets import access_units

START = b"\x00\x00\x00\x01"


def collected(codec: Codec, **encoding) -> ParameterCollector:
    collector = ParameterCollector(codec)
    collector.absorb(access_units(codec, 3, 3, **encoding)[0][0])
    return collector


def annexb_sets(codec: Codec, **encoding) -> bytes:
    units = nal.split(access_units(codec, 3, 3, **encoding)[0][0])
    wanted = {NalRole.VPS, NalRole.SPS, NalRole.PPS}
    return b"".join(START + unit for unit in units if nal.role(codec, unit) in wanted)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_in_band_sets_give_parameters_and_leave_the_picture(codec):
    collector = ParameterCollector(codec)

    unit = collector.absorb(access_units(codec, 3, 3)[0][0])

    assert collector.parameters is not None
    assert (collector.parameters.width, collector.parameters.height) == (160, 120)
    assert unit.is_key
    sizes = []
    rest = unit.data
    while rest:
        size = int.from_bytes(rest[:4])
        sizes.append(nal.role(codec, rest[4 : 4 + size]))
        rest = rest[4 + size :]
    assert set(sizes) <= {NalRole.NOTE, NalRole.KEY_SLICE}


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_extradata_in_any_form_gives_what_in_band_gives(codec):
    in_band = collected(codec).parameters
    assert in_band is not None

    from_annexb = ParameterCollector(codec, annexb_sets(codec)).parameters
    from_record = ParameterCollector(codec, in_band.extradata).parameters

    assert from_annexb == from_record == in_band


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_a_decoder_takes_the_record_as_its_extradata(codec):
    collector = ParameterCollector(codec)
    units = [collector.absorb(data).data for data, *_ in access_units(codec, 3, 3)]
    assert collector.parameters is not None
    decoder = av.CodecContext.create("h264" if codec is Codec.H264 else "hevc", "r")
    decoder.extradata = collector.parameters.extradata

    frames = [frame for unit in units for frame in decoder.decode(av.Packet(unit))]
    frames += decoder.decode(None)

    assert [(frame.width, frame.height) for frame in frames] == [(160, 120)] * 3


def test_the_codec_string_is_that_of_the_sps():
    h264, h265 = collected(Codec.H264).parameters, collected(Codec.H265).parameters
    assert h264 is not None
    assert h265 is not None
    sps = nal.split(annexb_sets(Codec.H264))[0]

    assert h264.mime_codec == f"avc1.{sps[1:4].hex()}"
    assert h265.mime_codec == "hvc1.1.6.L30.90"


def test_the_codec_string_of_a_high_tier_in_a_profile_space_is_spelt_out():
    record = bytes([1, 0b10_1_00010, 0x20, 0, 0, 0, 0xB0, 0, 0x10, 0, 0, 0, 123])

    assert mime_codec(Codec.H265, record) == "hvc1.B2.4.H123.B0.0.10"


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_a_repeated_set_changes_nothing_and_another_size_does(codec):
    collector = collected(codec)
    before = collector.parameters

    collector.absorb(access_units(codec, 3, 3)[0][0])
    assert collector.parameters is before

    collector.absorb(access_units(codec, 3, 3, width=320)[0][0])
    assert collector.parameters is not None
    assert collector.parameters.width == 320


HEAD_BYTES = {Codec.H264: 1, Codec.H265: 2}
ONE = "010"  # ue(v)


def as_bits(unit: bytes) -> str:
    payload = unit.replace(b"\x00\x00\x03", b"\x00\x00")
    return f"{int.from_bytes(payload):0{8 * len(payload)}b}"


def as_unit(bits: str) -> bytes:
    """Return a NAL unit of these bits, with emulation prevention."""
    payload = int(bits + "0" * (-len(bits) % 8), 2).to_bytes(-(-len(bits) // 8))
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", payload)


def switching(codec: Codec) -> tuple[bytes, bytes, bytes]:
    """Return a packet of 320x180 whose sets have the id 0, and of 640x360 whose sets have the id 1.

    The third is another packet of the first picture, without any sets.
    """
    small = access_units(codec, 3, 3, width=320, height=180)[0][0]
    large = []
    for unit in nal.split(access_units(codec, 3, 3, width=640, height=360)[0][0]):
        head, bits = as_bits(unit)[: 8 * HEAD_BYTES[codec]], as_bits(unit)[8 * HEAD_BYTES[codec] :]
        kind = nal.role(codec, unit)
        if kind is NalRole.SPS:
            before_id = 24 if codec is Codec.H264 else 104
            assert bits[before_id] == "1"
            bits = bits[:before_id] + ONE + bits[before_id + 1 :]
        elif kind is NalRole.PPS:
            assert bits[:2] == "11"
            bits = ONE + ONE + bits[2:]
        elif kind is NalRole.KEY_SLICE:
            # first slice; H.264's type 7 (I), H.265's no_output_of_prior_pics_flag; the PPS
            bits = ("1" + "0001000" if codec is Codec.H264 else "10") + ONE + "1" * 40
        large.append(as_unit(head + bits))
    slices = [unit for unit in nal.split(small) if nal.role(codec, unit) is NalRole.KEY_SLICE]
    return small, *(b"".join(START + unit for unit in units) for units in (large, slices))


def size_of(collector: ParameterCollector) -> tuple[int, int]:
    assert collector.parameters is not None
    return collector.parameters.width, collector.parameters.height


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_the_sets_that_the_picture_uses_say_what_it_is(codec):
    collector = ParameterCollector(codec)
    small, large, small_again = switching(codec)

    seen = []
    for data in (small, large, large, small_again, small, large):
        collector.absorb(data)
        seen.append(size_of(collector))

    assert seen == [(320, 180), (640, 360), (640, 360), (320, 180), (320, 180), (640, 360)]


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_before_any_picture_the_newest_sets_count_until_one_uses_others(codec):
    collector = ParameterCollector(codec)
    small, large, small_again = switching(codec)
    collector.absorb(small)
    collector.absorb(large)
    assert collector.parameters is not None

    announced = ParameterCollector(codec, collector.parameters.extradata)
    assert size_of(announced) == (640, 360)
    announced.absorb(small_again)
    assert size_of(announced) == (320, 180)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_a_picture_that_names_sets_that_never_came_is_taken_for_one_of_the_newest(codec):
    collector = collected(codec, width=320, height=180)
    _, large, _ = switching(codec)
    (key_slice,) = [unit for unit in nal.split(large) if nal.role(codec, unit) is NalRole.KEY_SLICE]

    assert collector.absorb(START + key_slice).is_key
    assert size_of(collector) == (320, 180)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_a_key_slice_without_a_head_changes_nothing(codec):
    collector = collected(codec)
    before = collector.parameters
    head = b"\x65" if codec is Codec.H264 else b"\x26\x01"

    assert collector.absorb(START + head).is_key
    assert collector.parameters is before


def test_a_high_profile_record_says_the_bit_depth():
    sps = bytes.fromhex("67640028acd940780227e5c044000003000400000300ca3c60c658")
    pps = bytes.fromhex("68ebe3cb22c0")

    collector = ParameterCollector(Codec.H264, START + sps + START + pps)

    assert collector.parameters is not None
    assert (collector.parameters.width, collector.parameters.height) == (1920, 1080)
    assert collector.parameters.mime_codec == "avc1.640028"
    assert collector.parameters.extradata[-4:] == bytes([0xFD, 0xF8, 0xF8, 0])


def test_a_second_picture_set_with_another_id_is_kept_beside_the_first():
    sets = annexb_sets(Codec.H264)
    second_pps = b"\x68" + int("01001000", 2).to_bytes(1) + b"\x80"  # id 1

    collector = ParameterCollector(Codec.H264, sets + START + second_pps)

    assert collector.parameters is not None
    again = ParameterCollector(Codec.H264, collector.parameters.extradata)
    assert again.parameters == collector.parameters
    assert collector.parameters.extradata.count(second_pps) == 1


def test_a_packet_without_a_picture_is_empty():
    collector = ParameterCollector(Codec.H264)

    assert collector.absorb(annexb_sets(Codec.H264)).data == b""
    assert collector.absorb(START + b"\x06\x05\x01\x80").data == b""
    assert collector.absorb(b"").data == b""


def test_a_garbled_set_is_refused_and_the_ones_before_stay():
    collector = collected(Codec.H264)
    before = collector.parameters

    with pytest.raises(MediaError):
        collector.absorb(START + b"\x67\x64\x00")

    assert collector.parameters is before


def test_no_more_than_sixteen_sets_of_a_kind_are_kept():
    collector = collected(Codec.H264)
    sets = []
    for set_id in range(1, 40):
        code = f"{set_id + 1:b}"
        bits = "0" * (len(code) - 1) + code
        width = -(-(len(bits) + 1) // 8)
        sets.append(b"\x68" + int((bits + "1").ljust(width * 8, "0"), 2).to_bytes(width))

    with pytest.raises(MediaError):
        collector.absorb(b"".join(START + each for each in sets))


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_a_record_cut_anywhere_is_refused_or_incomplete(codec):
    parameters = collected(codec).parameters
    assert parameters is not None
    results = []
    for length in range(1, len(parameters.extradata) - 8):
        try:
            results.append(ParameterCollector(codec, parameters.extradata[:length]).parameters)
        except MediaError:
            results.append(None)

    assert set(results) == {None}
