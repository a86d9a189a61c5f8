"""What a camera's description says of its video. Pure.

Sources: RFC 8866 (SDP), RFC 6184 section 8 and RFC 7798 section 7 (H.264's and H.265's parameters).
"""

import base64
import binascii
import re
from dataclasses import dataclass, field

from edge.errors import StreamMissing, StreamRefused, StreamUnsuited
from edge.media.nal import START_CODE, split
from edge.media.sample import TICKS_PER_S, Codec

_CODECS = {"H264": Codec.H264, "H265": Codec.H265, "HEVC": Codec.H265}
_SETS = {
    Codec.H264: ("sprop-parameter-sets",),
    Codec.H265: ("sprop-vps", "sprop-sps", "sprop-pps"),
}
_JPEG_TYPE = 26  # RFC 3551: says it without a name
_INTERLEAVED_MODE = "2"  # of H.264: units in another order than they were coded in


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """The video that is taken: its coding, RTP payload type and clock, and where to ask for it.

    ``parameter_sets`` are those the description holds, as Annex B; some cameras garble them.
    """

    codec: Codec
    payload_type: int
    ticks_per_s: int
    parameter_sets: bytes
    url: str
    aggregate_url: str


@dataclass(slots=True)
class _Media:
    kind: str
    payload_type: int
    attributes: dict[str, str] = field(default_factory=dict)


def video_track(description: bytes, base_url: str) -> VideoTrack:
    """Return the first H.264 or H.265 track; ``base_url`` is what its addresses are relative to.

    Raises StreamRefused where there is none, StreamMissing where there is no video at all (a camera
    whose encoder is not up yet says so), StreamUnsuited for one that is sent interleaved and where
    there are JPEG pictures alone.
    """
    session, medias = _sections(description.decode("utf-8", "replace"))
    videos = [media for media in medias if media.kind == "video"]
    for media in videos:
        name, ticks_per_s = _coding(media)
        if name in _CODECS and ticks_per_s > 0:
            return _track(media, _CODECS[name], ticks_per_s, session, base_url)
    if any(_coding(media)[0] == "JPEG" or media.payload_type == _JPEG_TYPE for media in videos):
        raise StreamUnsuited("the camera sends JPEG pictures")
    if not videos:
        raise StreamMissing("the camera offers no video")
    offered = ", ".join(_coding(media)[0] or str(media.payload_type) for media in videos)
    raise StreamRefused(f"neither H.264 nor H.265 but {offered}")


def _track(
    media: _Media, codec: Codec, ticks_per_s: int, session: dict[str, str], base_url: str
) -> VideoTrack:
    format_parameters = _format(media.attributes.get("fmtp", ""))
    is_interleaved = format_parameters.get("packetization-mode") == _INTERLEAVED_MODE
    if is_interleaved or format_parameters.get("sprop-max-don-diff", "0") != "0":
        raise StreamUnsuited("the camera sends its units interleaved")
    sets = [
        unit
        for name in _SETS[codec]
        for text in format_parameters.get(name, "").split(",")
        for unit in _units(text)
    ]
    aggregate = _resolved(session.get("control", "*"), base_url)
    return VideoTrack(
        codec,
        media.payload_type,
        ticks_per_s,
        b"".join(START_CODE + unit for unit in sets),
        _resolved(media.attributes.get("control", "*"), base_url),
        aggregate,
    )


def _sections(text: str) -> tuple[dict[str, str], list[_Media]]:
    """Return the session's attributes, and each medium with its own."""
    session: dict[str, str] = {}
    medias: list[_Media] = []
    for line in (each.strip() for each in text.split("\n")):
        if match := re.match(r"m=(\w+)\s+\S+\s+\S+\s+(\d{1,3})\b", line):
            medias.append(_Media(match[1].lower(), int(match[2])))
        elif line.startswith("m="):
            medias.append(_Media("", -1))
        elif line.startswith("a="):
            name, _, value = line[2:].partition(":")
            media = medias[-1] if medias else None
            if media is None:
                session.setdefault(name.strip().lower(), value.strip())
            elif _is_of(media, name, value):
                media.attributes.setdefault(name.strip().lower(), value.strip())
    return session, medias


def _is_of(media: _Media, name: str, value: str) -> bool:
    """Say whether an attribute is of the payload type that the medium names first, if of any."""
    if name.strip().lower() not in ("rtpmap", "fmtp"):
        return True
    return value.strip().split(None, 1)[:1] == [str(media.payload_type)]


def _coding(media: _Media) -> tuple[str, int]:
    """Return the name of a medium's coding in capitals and its clock; ("", 0) where not said."""
    match = re.match(r"\d+\s+([\w.+-]+)\s*/\s*(\d{1,9})", media.attributes.get("rtpmap", ""))
    return (match[1].upper(), int(match[2])) if match else ("", 0)


def _format(value: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in value.partition(" ")[2].split(";"))
    return {name.strip().lower(): given.strip() for name, _, given in pairs}


def _units(text: str) -> list[bytes]:
    """Return the units of one base64 text; some cameras leave start codes in it, or garble it."""
    try:
        unit = base64.b64decode(text.strip() + "==")
    except binascii.Error:
        return []
    return split(unit) if START_CODE in unit[:5] else [unit] if unit else []


def _resolved(control: str, base_url: str) -> str:
    if control in ("", "*"):
        return base_url
    if re.match(r"rtsps?://", control, re.IGNORECASE):
        return control
    return f"{base_url.removesuffix('/')}/{control.removeprefix('/')}"


def to_90k(ticks: int, ticks_per_s: int) -> int:
    """Return a track's time in 90 kHz ticks."""
    return ticks if ticks_per_s == TICKS_PER_S else ticks * TICKS_PER_S // ticks_per_s
