"""A video file as the test camera plays it: Annex B split into access units, no library needed.

It is imported by the system's Python too (gst_server), so it uses the standard library alone.
"""

import base64
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_START = re.compile(rb"\x00?\x00\x00\x01")
_H264_AUD = 9
_H264_IDR = 5
_H264_SETS = (7, 8)
_H265_AUD = 35
_H265_IRAP = range(16, 22)
_H265_SETS = (32, 33, 34)


class Coding(StrEnum):
    """What the file holds, as GStreamer and file names call it."""

    H264 = "h264"
    H265 = "h265"

    def nal_type(self, nal: bytes) -> int:
        """Return the NAL unit's type (RFC 6184 1.3, RFC 7798 1.1.4)."""
        return nal[0] & 0x1F if self is Coding.H264 else (nal[0] >> 1) & 0x3F


@dataclass(frozen=True, slots=True)
class Unit:
    """One access unit: its NAL units without start codes, the access unit delimiter left out.

    A key frame's first NAL units are the parameter sets.
    """

    nals: tuple[bytes, ...]
    is_key: bool

    def annexb(self) -> bytes:
        """Return the unit with start codes."""
        return b"".join(b"\x00\x00\x00\x01" + nal for nal in self.nals)


@dataclass(frozen=True, slots=True)
class Clip:
    """A file's access units in order; the first is a key frame."""

    coding: Coding
    units: tuple[Unit, ...]
    parameter_sets: tuple[bytes, ...]

    @classmethod
    def load(cls, path: Path) -> "Clip":
        """Return the clip in ``path`` (``*.h264`` or ``*.h265``, with delimiters).

        Raises ValueError where it holds no access unit, begins without a key frame or is neither.
        """
        try:
            coding = Coding(path.suffix.removeprefix("."))
        except ValueError as error:
            raise ValueError(f"{path}: the name must end in .h264 or .h265") from error
        clip = cls.parse(path.read_bytes(), coding)
        if not clip.units or not clip.units[0].is_key:
            raise ValueError(f"{path}: must begin with a delimiter and a key frame")
        return clip

    @classmethod
    def parse(cls, data: bytes, coding: Coding) -> "Clip":
        """Return what ``data`` holds; what comes before the first delimiter is left out."""
        delimiter = _H264_AUD if coding is Coding.H264 else _H265_AUD
        groups: list[list[bytes]] = []
        for nal in split_nals(data):
            if coding.nal_type(nal) == delimiter:
                groups.append([])
            elif groups:
                groups[-1].append(nal)
        groups = [group for group in groups if group]
        wanted = _H264_SETS if coding is Coding.H264 else _H265_SETS
        found: dict[int, bytes] = {}
        for nal in groups[0] if groups else ():
            found.setdefault(coding.nal_type(nal), nal)
        sets = tuple(found[kind] for kind in wanted if kind in found)
        return cls(coding, tuple(_unit(coding, group, sets) for group in groups), sets)

    def sdp_lines(self, payload_type: int) -> list[str]:
        """Return the media attributes of this coding (RFC 6184 8.2.1, RFC 7798 7.2.1)."""
        sets = [base64.b64encode(nal).decode() for nal in self.parameter_sets]
        if self.coding is Coding.H264:
            profile = self.parameter_sets[0][1:4].hex() if self.parameter_sets else "42001f"
            parameters = f"packetization-mode=1;profile-level-id={profile}"
            if sets:
                parameters += f";sprop-parameter-sets={','.join(sets)}"
            name = "H264"
        else:
            names = ("sprop-vps", "sprop-sps", "sprop-pps")
            parameters = ";".join(f"{key}={value}" for key, value in zip(names, sets, strict=False))
            name = "H265"
        return [f"a=rtpmap:{payload_type} {name}/90000", f"a=fmtp:{payload_type} {parameters}"]


def split_nals(data: bytes) -> list[bytes]:
    """Return the NAL units between Annex B start codes, empty ones and trailing zeros left out."""
    marks = [(match.start(), match.end()) for match in _START.finditer(data)]
    ends = [*(start for start, _ in marks[1:]), len(data)]
    parts = (data[begin:end] for (_, begin), end in zip(marks, ends, strict=False))
    return [nal for nal in (part.rstrip(b"\x00") for part in parts) if nal]


def _unit(coding: Coding, nals: list[bytes], parameter_sets: tuple[bytes, ...]) -> Unit:
    """Return the unit; a key frame brings the parameter sets with it, as cameras do."""
    is_key = _is_key(coding, nals)
    kinds = {coding.nal_type(nal) for nal in nals}
    missing = [nal for nal in parameter_sets if coding.nal_type(nal) not in kinds]
    return Unit(tuple(missing + nals) if is_key else tuple(nals), is_key)


def _is_key(coding: Coding, nals: list[bytes]) -> bool:
    kinds = (coding.nal_type(nal) for nal in nals)
    if coding is Coding.H264:
        return any(kind == _H264_IDR for kind in kinds)
    return any(kind in _H265_IRAP for kind in kinds)
