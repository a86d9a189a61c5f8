import pytest

from edge.errors import MediaError
from edge.media import nal
from edge.media.nal import NalRole, Picture
from edge.media.sample import Codec
from tests.support.packets import access_units


def sets_of(codec: Codec, kind: NalRole, **encoding) -> bytes:
    data = access_units(codec, 1, 1, **encoding)[0][0]
    return next(unit for unit in nal.split(data) if nal.role(codec, unit) is kind)


def test_start_codes_of_three_and_four_bytes_and_trailing_zeros_are_taken_off():
    data = b"junk\x00\x00\x01\x67\x01\x00\x00\x00\x01\x68\x02\x00\x00\x00\x00\x01\x65\x03\x00\x00"

    assert nal.split(data) == [b"\x67\x01", b"\x68\x02", b"\x65\x03"]


@pytest.mark.parametrize("data", [b"", b"\x00\x00", b"no start code", b"\x00\x00\x01"])
def test_data_without_a_unit_gives_none(data):
    assert nal.split(data) == []


def test_an_access_unit_of_an_encoder_is_delimiter_sets_note_and_key_slice():
    units = nal.split(access_units(Codec.H264, 1, 1)[0][0])

    assert [nal.role(Codec.H264, unit) for unit in units] == [
        NalRole.PADDING,
        NalRole.SPS,
        NalRole.PPS,
        NalRole.NOTE,
        NalRole.KEY_SLICE,
    ]


@pytest.mark.parametrize(
    ("codec", "head", "role"),
    [
        (Codec.H264, 0x41, NalRole.SLICE),
        (Codec.H264, 0x65, NalRole.KEY_SLICE),
        (Codec.H264, 0x0C, NalRole.PADDING),  # filler
        (Codec.H264, 0x0A, NalRole.PADDING),  # end of sequence
        (Codec.H265, 0x02, NalRole.SLICE),  # TRAIL_R
        (Codec.H265, 0x26, NalRole.KEY_SLICE),  # IDR_W_RADL
        (Codec.H265, 0x2A, NalRole.KEY_SLICE),  # CRA
        (Codec.H265, 0x40, NalRole.VPS),
        (Codec.H265, 0x4E, NalRole.NOTE),
        (Codec.H265, 0x46, NalRole.PADDING),  # delimiter
    ],
)
def test_the_type_says_what_a_unit_is_for(codec, head, role):
    assert nal.role(codec, bytes([head, 1])) is role


@pytest.mark.parametrize("codec", Codec)
def test_an_empty_unit_is_padding(codec):
    assert nal.role(codec, b"") is NalRole.PADDING


@pytest.mark.parametrize("size", [(160, 120), (322, 182), (1920, 1080)])
@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_an_sps_says_the_cropped_size(codec, size):
    width, height = size
    sps = sets_of(codec, NalRole.SPS, width=width, height=height)

    picture = nal.picture(codec, sps)

    assert (picture.width, picture.height) == size
    assert (picture.chroma_format, picture.luma_bits, picture.chroma_bits) == (1, 8, 8)


def test_emulation_prevention_is_taken_out_before_reading():
    # Level and constraint bytes of 0 make encoders insert 00 00 03; here in the profile bytes.
    plain = nal.picture(Codec.H264, sets_of(Codec.H264, NalRole.SPS))
    sps = sets_of(Codec.H264, NalRole.SPS)

    assert nal.picture(Codec.H264, sps + b"\x00\x00\x03\x01") == plain
    hevc = sets_of(Codec.H265, NalRole.SPS)
    assert b"\x00\x00\x03" in hevc
    assert len(nal.picture(Codec.H265, hevc).profile_tier_level) == 12


def ue(value: int) -> str:
    code = f"{value + 1:b}"
    return "0" * (len(code) - 1) + code


def se(value: int) -> str:
    return ue(2 * value - 1 if value > 0 else -2 * value)


def unit(head: bytes, *fields: str) -> bytes:
    """Return a NAL unit of these bits, with emulation prevention."""
    bits = "".join(fields) + "1"
    size = -(-len(bits) // 8)
    payload = int(bits.ljust(size * 8, "0"), 2).to_bytes(size)
    out = bytearray()
    for byte in payload:
        if out[-2:] == b"\0\0" and byte <= 3:
            out.append(3)
        out.append(byte)
    return head + bytes(out)


BASELINE = ("01000010", "0" * 8, "00011110", ue(0), ue(0))
#: references, gaps, 20 x 15 blocks, frames only, direct 8x8, no cropping
QVGA = (ue(1), "0", ue(19), ue(14), "1", "1", "0")


def test_a_baseline_sps_with_a_picture_order_cycle_is_read():
    cycle = (ue(1), "0", se(-2), se(3), ue(2), se(1), se(-1))

    sps = unit(b"\x67", *BASELINE, *cycle, *QVGA)

    assert nal.picture(Codec.H264, sps) == Picture(0, 320, 240, 1, 8, 8, reordered=0)


def test_an_interlaced_sps_counts_its_lines_twice():
    fields = (ue(1), "0", ue(119), ue(33), "0", "0", "1", "1", ue(0), ue(0), ue(0), ue(2))

    sps = unit(b"\x67", *BASELINE, ue(0), ue(4), *fields)

    assert nal.picture(Codec.H264, sps) == Picture(0, 1920, 1080, 1, 8, 8, reordered=0)


def test_a_high_sps_of_full_colour_with_scaling_lists_and_ten_bits_is_read():
    flat = ("1", se(-8))  # the default list
    lists = ("1", *flat, "0" * 5, "1", *(se(1) for _ in range(64)), "0" * 5)
    high = ("11110100", "0" * 8, "00101000", ue(3), ue(3), "0", ue(2), ue(2), "0", *lists)

    sps = unit(b"\x67", *high, ue(0), ue(2), *QVGA)

    assert nal.picture(Codec.H264, sps) == Picture(3, 320, 240, 3, 10, 10, reordered=0)


def test_an_h265_sps_with_temporal_layers_is_read():
    level = "01" * 48
    layers = "11" + "01" + "00" * 6 + "0" * 96 + "1" * 8  # two layers, one with a profile
    size = (ue(2), ue(640), ue(368), "1", ue(0), ue(0), ue(0), ue(8))

    sps = unit(b"\x42\x01", "0000", "010", "1", level, layers, ue(0), *size, ue(0), ue(2))

    assert nal.picture(Codec.H265, sps) == Picture(
        0, 640, 360, 2, 8, 10, bytes([0x55]) * 12, 3, temporal_nested=True
    )


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_a_parameter_set_cut_anywhere_is_refused_or_read_never_worse(codec):
    sps = sets_of(codec, NalRole.SPS)
    whole = nal.picture(codec, sps)
    outcomes = set()
    for length in range(1, len(sps)):
        try:
            outcomes.add(nal.picture(codec, sps[:length]) == whole)
        except MediaError:
            outcomes.add(None)

    assert None in outcomes


@pytest.mark.parametrize(
    "sps",
    [
        b"\x67" + b"\x42\x00\x1e" + b"\x00" * 20,  # a number of more than 32 bits
        b"\x67" + b"\xff" * 5000,
        unit(b"\x67", "01100100", "0" * 16, ue(0), ue(4)),  # chroma format 4
        unit(b"\x67", "01100100", "0" * 16, ue(0), ue(1), ue(9)),  # 17 bits
        unit(b"\x67", *BASELINE, ue(1), "0", se(0), se(0), ue(256)),  # 256 frames in a cycle
        unit(b"\x67", *BASELINE, ue(2), ue(1), "0", ue(1999), ue(14), "110"),  # 32000 wide
        unit(
            b"\x67", *BASELINE, ue(2), *QVGA[:-1], "1", ue(90), ue(90), ue(0), ue(0)
        ),  # cropped away
    ],
)
def test_nonsense_is_refused(sps):
    with pytest.raises(MediaError):
        nal.picture(Codec.H264, sps)
