"""Parameter sets of a stream, gathered in-band or from extradata, as MP4 wants them."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from edge.errors import MediaError
from edge.media import nal
from edge.media.nal import NalRole
from edge.media.sample import Codec, CodecParameters

_SETS = {
    Codec.H264: (NalRole.SPS, NalRole.PPS),
    Codec.H265: (NalRole.VPS, NalRole.SPS, NalRole.PPS),
}
#: A stream uses one or two sets of a kind; more are noise, and avcC has room for 31.
_MAX_SETS_OF_A_KIND = 16
_RECORD_VERSION = 1


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One packet with its parameter sets and padding taken out, length-prefixed.

    ``data`` is empty where the packet held no picture.
    """

    data: bytes
    is_key: bool


class ParameterCollector:
    """The parameter sets of one stream as they come; a set replaces the one of its kind and id.

    A camera that is set to another size may give its new sets new ids: the sets that the last key
    frame used say what the picture is, before one came the newest.
    """

    def __init__(self, codec: Codec, extradata: bytes = b"") -> None:
        self._codec = codec
        self._sets: dict[NalRole, dict[int, bytes]] = {kind: {} for kind in _SETS[codec]}
        self._parameters: CodecParameters | None = None
        self._used_pps: int | None = None
        for unit in _units_of(codec, extradata):
            kind = nal.role(codec, unit)
            if kind in self._sets:
                self._keep(kind, unit)

    @property
    def parameters(self) -> CodecParameters | None:
        """What the sets seen so far say; None until there is one of each kind."""
        return self._parameters

    def absorb(self, access_unit: bytes) -> AccessUnit:
        """Take the parameter sets out of an Annex B byte stream; see :meth:`absorb_units`."""
        return self.absorb_units(nal.split(access_unit))

    def absorb_units(self, units: Iterable[bytes]) -> AccessUnit:
        """Take the parameter sets out of a packet's NAL units and return the rest.

        ``parameters`` is another value afterwards where a set came that says something new. Raises
        MediaError where a set can't be read; the sets before it stay as they were.
        """
        parts: list[bytes] = []
        has_picture = is_key = False
        for unit in units:
            kind = nal.role(self._codec, unit)
            if kind in self._sets:
                self._keep(kind, unit)
                continue
            if kind is NalRole.PADDING:
                continue
            has_picture = has_picture or kind is not NalRole.NOTE
            if kind is NalRole.KEY_SLICE and not is_key:
                self._use(unit)
            is_key = is_key or kind is NalRole.KEY_SLICE
            parts.append(len(unit).to_bytes(4))
            parts.append(unit)
        return AccessUnit(b"".join(parts) if has_picture else b"", is_key)

    def _keep(self, kind: NalRole, unit: bytes) -> None:
        known = self._sets[kind]
        # Cameras repeat their sets before every key frame: parse only what is new.
        if unit in known.values():
            return
        set_id = nal.parameter_set_id(self._codec, unit)
        if set_id not in known and len(known) >= _MAX_SETS_OF_A_KIND:
            raise MediaError(f"more than {_MAX_SETS_OF_A_KIND} parameter sets of a kind")
        kept = dict(self._sets)
        # The newest comes last.
        kept[kind] = {other: known[other] for other in known if other != set_id} | {set_id: unit}
        if all(kept.values()):
            self._parameters = _parameters(self._codec, kept, self._used_pps)
        self._sets = kept

    def _use(self, key_slice: bytes) -> None:
        """Note which sets a key frame uses."""
        try:
            used = nal.picture_set_id(self._codec, key_slice)
        except MediaError:
            return  # a picture that is damaged says nothing new
        if used != self._used_pps and all(self._sets.values()):
            self._parameters = _parameters(self._codec, self._sets, used)
            self._used_pps = used


def mime_codec(codec: Codec, extradata: bytes) -> str:
    """Return the RFC 6381 codec string of an avcC or hvcC record. Raises MediaError."""
    try:
        if codec is Codec.H264:
            return f"avc1.{bytes(struct.unpack_from('>3B', extradata, 1)).hex()}"
        profile, compatibility, constraints, level = struct.unpack_from(">BI6sB", extradata, 1)
    except struct.error as error:
        raise MediaError(f"decoder record of {len(extradata)} bytes") from error
    # ISO/IEC 14496-15 annex E: the compatibility flags in reverse bit order, constraint bytes
    # without the zeros at their end.
    space = ("", "A", "B", "C")[profile >> 6]
    tier = "H" if profile & 0x20 else "L"
    reversed_flags = int(f"{compatibility:032b}"[::-1], 2)
    tail = "".join(f".{byte:X}" for byte in constraints.rstrip(b"\x00"))
    return f"hvc1.{space}{profile & 0x1F}.{reversed_flags:X}.{tier}{level}{tail}"


def _parameters(
    codec: Codec, sets: dict[NalRole, dict[int, bytes]], used_pps: int | None
) -> CodecParameters:
    sps = _used_sps(codec, sets, used_pps)
    picture = nal.picture(codec, sps)
    extradata = _avcc(sps, picture, sets) if codec is Codec.H264 else _hvcc(picture, sets)
    return CodecParameters(
        codec=codec,
        width=picture.width,
        height=picture.height,
        extradata=extradata,
        mime_codec=mime_codec(codec, extradata),
    )


def _used_sps(codec: Codec, sets: dict[NalRole, dict[int, bytes]], used_pps: int | None) -> bytes:
    """Return the SPS of the PPS that is used; the newest of what is not known."""
    all_sps, all_pps = sets[NalRole.SPS], sets[NalRole.PPS]
    newest_sps, newest_pps = list(all_sps.values())[-1], list(all_pps.values())[-1]
    pps = newest_pps if used_pps is None else all_pps.get(used_pps, newest_pps)
    return all_sps.get(nal.sequence_set_id(codec, pps), newest_sps)


def _avcc(sps: bytes, picture: nal.Picture, sets: dict[NalRole, dict[int, bytes]]) -> bytes:
    """Return an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1)."""
    all_sps, all_pps = sets[NalRole.SPS].values(), sets[NalRole.PPS].values()
    record = [bytes((_RECORD_VERSION, *sps[1:4], 0xFF, 0xE0 | len(all_sps)))]
    record += [struct.pack(">H", len(unit)) + unit for unit in all_sps]
    record.append(bytes((len(all_pps),)))
    record += [struct.pack(">H", len(unit)) + unit for unit in all_pps]
    if sps[1] in nal.HIGH_PROFILES:
        depths = (0xF8 | picture.luma_bits - 8, 0xF8 | picture.chroma_bits - 8)
        record.append(bytes((0xFC | picture.chroma_format, *depths, 0)))
    return b"".join(record)


def _hvcc(picture: nal.Picture, sets: dict[NalRole, dict[int, bytes]]) -> bytes:
    """Return an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.3.1)."""
    record = [
        bytes((_RECORD_VERSION,)),
        picture.profile_tier_level,
        struct.pack(
            ">HBBBBHBB",
            0xF000,  # no minimum spatial segmentation
            0xFC,  # parallelism not known
            0xFC | picture.chroma_format,
            0xF8 | picture.luma_bits - 8,
            0xF8 | picture.chroma_bits - 8,
            0,  # average frame rate not known
            picture.temporal_layers << 3 | picture.temporal_nested << 2 | 3,  # 4-byte lengths
            len(sets),
        ),
    ]
    for nal_type, kind in ((32, NalRole.VPS), (33, NalRole.SPS), (34, NalRole.PPS)):
        units = sets[kind].values()
        # 0x80: all sets of this kind are here, which is what "hvc1" promises
        record.append(struct.pack(">BH", 0x80 | nal_type, len(units)))
        record += [struct.pack(">H", len(unit)) + unit for unit in units]
    return b"".join(record)


def _units_of(codec: Codec, extradata: bytes) -> list[bytes]:
    """Return the NAL units of extradata, be it Annex B, avcC or hvcC."""
    if extradata[:1] != bytes((_RECORD_VERSION,)):
        return nal.split(extradata)
    try:
        return _avcc_units(extradata) if codec is Codec.H264 else _hvcc_units(extradata)
    except (struct.error, IndexError) as error:
        raise MediaError(f"decoder record of {len(extradata)} bytes ends early") from error


def _avcc_units(record: bytes) -> list[bytes]:
    units, position = _sized_units(record, 6, record[5] & 0x1F)
    more, _ = _sized_units(record, position + 1, record[position])
    return units + more


def _hvcc_units(record: bytes) -> list[bytes]:
    units: list[bytes] = []
    position = 23
    for _ in range(record[22]):
        count = struct.unpack_from(">H", record, position + 1)[0]
        more, position = _sized_units(record, position + 3, count)
        units += more
    return units


def _sized_units(record: bytes, position: int, count: int) -> tuple[list[bytes], int]:
    """Return ``count`` NAL units with 16-bit lengths from ``position``, and where they end."""
    units = []
    for _ in range(count):
        size = struct.unpack_from(">H", record, position)[0]
        position += 2
        unit = record[position : position + size]
        position += size
        if len(unit) < size or not unit:
            raise MediaError("decoder record: a parameter set is cut off or empty")
        units.append(unit)
    return units, position
