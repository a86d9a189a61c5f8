"""NAL units of H.264 and H.265: splitting, what each is for, and what a parameter set says.

Bytes come from cameras: whatever they hold, the only error is MediaError. Sources: ITU-T H.264
(7.3, annex B), ITU-T H.265 (7.3, annex B).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from edge.errors import MediaError
from edge.media.sample import Codec

#: Comes before each NAL unit of a byte stream (annex B).
START_CODE = b"\x00\x00\x01"

#: Real sets are under 200 bytes; longer ones are noise and would only cost time.
MAX_PARAMETER_SET_BYTES = 4096

#: The largest side that level 6.2 allows, and what fits the 16-bit fields of a sample entry.
MAX_SIDE_PX = 16_888


#: Of a NAL unit.
_HEAD_BYTES = {Codec.H264: 1, Codec.H265: 2}
#: More than a slice says before the id of its picture parameter set.
_SLICE_HEAD_BYTES = 32


class NalRole(Enum):
    """What a NAL unit is for."""

    KEY_SLICE = auto()  # part of a picture that decoding can begin at
    SLICE = auto()
    VPS = auto()
    SPS = auto()
    PPS = auto()
    NOTE = auto()  # SEI: kept beside its picture
    PADDING = auto()  # delimiters and filler, which MP4 does not carry


_H264_ROLES = {
    1: NalRole.SLICE,
    2: NalRole.SLICE,
    3: NalRole.SLICE,
    4: NalRole.SLICE,
    5: NalRole.KEY_SLICE,
    6: NalRole.NOTE,
    7: NalRole.SPS,
    8: NalRole.PPS,
}
_H265_ROLES = (
    dict.fromkeys(range(16), NalRole.SLICE)
    | dict.fromkeys(range(16, 22), NalRole.KEY_SLICE)
    | {32: NalRole.VPS, 33: NalRole.SPS, 34: NalRole.PPS, 39: NalRole.NOTE, 40: NalRole.NOTE}
)


@dataclass(frozen=True, slots=True)
class Picture:
    """What a sequence parameter set says of the pictures.

    ``profile_tier_level`` is H.265's, its twelve bytes without emulation prevention; empty for
    H.264. ``temporal_layers`` and ``temporal_nested`` are H.265's, else 1 and False. ``reordered``:
    how many pictures may come before one that is shown before them; None where it is not said.
    """

    set_id: int
    width: int
    height: int
    chroma_format: int
    luma_bits: int
    chroma_bits: int
    profile_tier_level: bytes = b""
    temporal_layers: int = 1
    temporal_nested: bool = False
    reordered: int | None = None


def split(access_unit: bytes) -> list[bytes]:
    """Return the NAL units of an Annex B byte stream without start codes; empty ones are left out.

    What comes before the first start code is no NAL unit and is left out too.
    """
    units = []
    start = access_unit.find(START_CODE)
    while start >= 0:
        start += len(START_CODE)
        next_code = access_unit.find(START_CODE, start)
        end = next_code if next_code >= 0 else len(access_unit)
        # trailing_zero_8bits, and the first zero of a four-byte start code (annex B)
        unit = access_unit[start:end].rstrip(b"\x00")
        if unit:
            units.append(unit)
        start = next_code
    return units


def role(codec: Codec, unit: bytes) -> NalRole:
    """Return what a NAL unit is for; an empty one, and types we don't know, are padding."""
    if not unit:
        return NalRole.PADDING
    if codec is Codec.H264:
        return _H264_ROLES.get(unit[0] & 0x1F, NalRole.PADDING)
    return _H265_ROLES.get(unit[0] >> 1 & 0x3F, NalRole.PADDING)


def parameter_set_id(codec: Codec, unit: bytes) -> int:
    """Return the id of a VPS, SPS or PPS. Raises MediaError."""
    kind = role(codec, unit)
    if kind is NalRole.SPS:
        return picture(codec, unit).set_id
    bits = _Bits(unit, _HEAD_BYTES[codec])
    if kind is NalRole.VPS:
        return bits.read(4)
    return bits.unsigned()


def sequence_set_id(codec: Codec, pps: bytes) -> int:
    """Return the id of the SPS that a PPS builds on. Raises MediaError."""
    bits = _Bits(pps, _HEAD_BYTES[codec])
    bits.unsigned()
    return bits.unsigned()


def picture_set_id(codec: Codec, key_slice: bytes) -> int:
    """Return the id of the PPS that a key slice uses. Raises MediaError."""
    bits = _Bits(key_slice[:_SLICE_HEAD_BYTES], _HEAD_BYTES[codec])
    if codec is Codec.H264:
        bits.unsigned()  # first_mb_in_slice
        bits.unsigned()  # slice_type
    else:
        bits.read(2)  # first_slice_segment_in_pic_flag, no_output_of_prior_pics_flag
    return bits.unsigned()


def picture(codec: Codec, sps: bytes) -> Picture:
    """Return what a sequence parameter set says. Raises MediaError."""
    found = _h264_picture(sps) if codec is Codec.H264 else _h265_picture(sps)
    if not (0 < found.width <= MAX_SIDE_PX and 0 < found.height <= MAX_SIDE_PX):
        raise MediaError(f"SPS: a picture of {found.width} x {found.height}")
    return found


class _Bits:
    """Bits of a NAL unit's payload, emulation prevention taken out."""

    def __init__(self, unit: bytes, head_bytes: int) -> None:
        if len(unit) > MAX_PARAMETER_SET_BYTES:
            raise MediaError(f"parameter set of {len(unit)} bytes")
        payload = unit[head_bytes:].replace(b"\x00\x00\x03", b"\x00\x00")
        self._left = len(payload) * 8
        self._value = int.from_bytes(payload)

    def read(self, count: int) -> int:
        """Return the next ``count`` bits as an unsigned number."""
        if count > self._left:
            raise MediaError("parameter set ends early")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def flag(self) -> bool:
        """Return the next bit."""
        return self.read(1) == 1

    def unsigned(self) -> int:
        """Return the next ue(v)."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 31:  # noqa: PLR2004 - ue(v) is at most 32 bits (H.264 9.1)
                raise MediaError("parameter set: number too long")
        return (1 << zeros) - 1 + self.read(zeros)

    def signed(self) -> int:
        """Return the next se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)


#: Profiles whose SPS carries chroma format, bit depths and scaling lists (H.264 7.3.2.1.1).
HIGH_PROFILES = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 144, 244})
_MAX_REFERENCE_FRAMES_IN_CYCLE = 255
_YUV_444 = 3
_BASELINE_PROFILE = 66
_OUTPUT_ORDER = 2  # pictures are shown in the order they are coded in (H.264 8.2.1.3)
_EXTENDED_ASPECT = 255


def _h264_picture(sps: bytes) -> Picture:
    bits = _Bits(sps, head_bytes=1)
    profile = bits.read(8)
    bits.read(16)
    set_id = bits.unsigned()
    chroma, luma_bits, chroma_bits = 1, 8, 8
    if profile in HIGH_PROFILES:
        chroma = _chroma_format(bits)
        luma_bits, chroma_bits = _bit_depth(bits), _bit_depth(bits)
        bits.flag()
        if bits.flag():
            for index in range(12 if chroma == _YUV_444 else 8):
                _skip_scaling_list(bits, 16 if index < 6 else 64)  # noqa: PLR2004
    bits.unsigned()
    order_kind = _skip_picture_order(bits)
    bits.unsigned()
    bits.flag()
    width = (bits.unsigned() + 1) * 16
    map_units = bits.unsigned() + 1
    frames_only = bits.flag()
    height = map_units * 16 * (1 if frames_only else 2)
    if not frames_only:
        bits.flag()
    bits.flag()
    if bits.flag():
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        unit_x = 2 if chroma in (1, 2) else 1
        unit_y = (2 if chroma == 1 else 1) * (1 if frames_only else 2)
        width -= unit_x * (left + right)
        height -= unit_y * (top + bottom)
    in_order = profile == _BASELINE_PROFILE or order_kind == _OUTPUT_ORDER
    reordered = 0 if in_order else _if_said(_h264_reordered, bits)
    return Picture(set_id, width, height, chroma, luma_bits, chroma_bits, reordered=reordered)


def _chroma_format(bits: _Bits) -> int:
    chroma = bits.unsigned()
    if chroma > _YUV_444:
        raise MediaError(f"SPS: chroma format {chroma}")
    if chroma == _YUV_444:
        bits.flag()  # separate_colour_plane_flag
    return chroma


def _bit_depth(bits: _Bits) -> int:
    above = bits.unsigned()
    if above > 8:  # noqa: PLR2004 - the standards stop at 16 bits
        raise MediaError(f"SPS: bit depth {above + 8}")
    return above + 8


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    if not bits.flag():
        return
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last


def _skip_picture_order(bits: _Bits) -> int:
    """Return the kind of picture order count."""
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.flag()
        bits.signed()
        bits.signed()
        count = bits.unsigned()
        if count > _MAX_REFERENCE_FRAMES_IN_CYCLE:
            raise MediaError(f"SPS: {count} frames in a picture order cycle")
        for _ in range(count):
            bits.signed()
    return kind


def _if_said(read: Callable[[_Bits], int | None], bits: _Bits) -> int | None:
    """Return what a set says beyond what we need; one that is cut off there still serves."""
    try:
        return read(bits)
    except MediaError:
        return None


def _h264_reordered(bits: _Bits) -> int | None:
    """Return max_num_reorder_frames of the VUI, the bits being just before it (H.264 E.1.1)."""
    if not bits.flag():
        return None
    _skip_looks(bits)
    has_decoder_model = [_skip_decoder_model(bits) for _ in range(2)]
    if any(has_decoder_model):
        bits.flag()
    bits.flag()
    if not bits.flag():  # bitstream_restriction_flag
        return None
    bits.flag()
    for _ in range(4):
        bits.unsigned()
    return bits.unsigned()


def _skip_looks(bits: _Bits) -> None:
    """Pass over what the VUI says of shape, colour and rate."""
    if bits.flag() and bits.read(8) == _EXTENDED_ASPECT:
        bits.read(32)
    if bits.flag():  # overscan_info_present_flag
        bits.flag()
    if bits.flag():  # video_signal_type_present_flag
        bits.read(4)
        if bits.flag():
            bits.read(24)
    if bits.flag():  # chroma_loc_info_present_flag
        bits.unsigned()
        bits.unsigned()
    if bits.flag():  # timing_info_present_flag
        bits.read(65)


def _skip_decoder_model(bits: _Bits) -> bool:
    """Pass over hypothetical reference decoder parameters, where there are any (H.264 E.1.2)."""
    if not bits.flag():
        return False
    count = bits.unsigned() + 1
    bits.read(8)
    for _ in range(count):
        bits.unsigned()
        bits.unsigned()
        bits.flag()
    bits.read(20)
    return True


def _h265_reordered(bits: _Bits, layers: int) -> int:
    """Return sps_max_num_reorder_pics of the highest layer, the bits being after the depths."""
    bits.unsigned()
    reordered = 0
    for _ in range(layers if bits.flag() else 1):
        bits.unsigned()
        reordered = bits.unsigned()
        bits.unsigned()
    return reordered


def _h265_picture(sps: bytes) -> Picture:
    bits = _Bits(sps, head_bytes=2)
    bits.read(4)
    sub_layers = bits.read(3)  # sps_max_sub_layers_minus1
    nested = bits.flag()
    profile_tier_level = bits.read(96).to_bytes(12)
    _skip_sub_layers(bits, sub_layers)
    set_id = bits.unsigned()
    chroma = _chroma_format(bits)
    width, height = bits.unsigned(), bits.unsigned()
    if bits.flag():
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width -= (2 if chroma in (1, 2) else 1) * (left + right)
        height -= (2 if chroma == 1 else 1) * (top + bottom)
    luma_bits, chroma_bits = _bit_depth(bits), _bit_depth(bits)
    return Picture(
        set_id,
        width,
        height,
        chroma,
        luma_bits,
        chroma_bits,
        profile_tier_level,
        sub_layers + 1,
        nested,
        _if_said(lambda rest: _h265_reordered(rest, sub_layers + 1), bits),
    )


def _skip_sub_layers(bits: _Bits, count: int) -> None:
    """Pass over profile and level of each temporal sub-layer (H.265 7.3.3)."""
    if count == 0:
        return
    present = [(bits.flag(), bits.flag()) for _ in range(count)]
    for _ in range(count, 8):
        bits.read(2)
    for has_profile, has_level in present:
        bits.read(88 * has_profile + 8 * has_level)
