"""A camera's streams: which there are, and where each is pulled."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from edge.cameras import reading, soap
from edge.cameras.door import Uri
from edge.cameras.services import Services
from edge.errors import CameraBadXml, CameraUnsupported

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Profile:
    """One of a camera's streams, as it describes it; the stream itself may be another.

    ``token`` is what the camera calls it, ``source`` what its video source is called, ``namespace``
    the service that listed it. What the camera does not say is None, or empty.
    """

    token: str
    name: str
    namespace: str
    source: str
    encoding: str
    width_px: int | None
    height_px: int | None
    fps: float | None
    bit_rate_kbps: int | None
    group_frames: int | None
    has_ptz: bool


class Media:
    """Streams by media2 where the camera has it, for only that tells of H.265; else by media1."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def profiles(self) -> tuple[Profile, ...]:
        """Return the streams, in the camera's order. Raises CameraError."""
        if self._services.has(soap.MEDIA2):
            try:
                if found := self._profiles2():
                    return found
            except (CameraUnsupported, CameraBadXml) as error:
                if not self._services.has(soap.MEDIA1):
                    raise
                log.info("camera.no_media2", extra={"why": str(error)})
        listed = reading.items(self._services.call("media", "GetProfiles"))
        return _kept(_profile1(item) for item in listed)

    def stream(self, profile: Profile) -> Uri:
        """Return where a profile's video is pulled by RTSP. Raises CameraError."""
        if profile.namespace == soap.MEDIA2:
            protocol = soap.element(soap.MEDIA2, "Protocol", "RTSP")
            claimed = self._uri2("GetStreamUri", profile, protocol)
        else:
            setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
            answer = self._services.call(
                "media", "GetStreamUri", StreamSetup=setup, ProfileToken=profile.token
            )
            claimed = reading.at(answer, "Uri")
        return self._services.session.door.stream(_present(claimed, "stream"))

    def snapshot(self, profile: Profile) -> Uri:
        """Return where a profile's picture is fetched by HTTP. Raises CameraError."""
        if profile.namespace == soap.MEDIA2:
            claimed = self._uri2("GetSnapshotUri", profile)
        else:
            answer = self._services.call("media", "GetSnapshotUri", ProfileToken=profile.token)
            claimed = reading.at(answer, "Uri")
        return self._services.session.door.service(_present(claimed, "snapshot"))

    def _profiles2(self) -> tuple[Profile, ...]:
        kinds = ("VideoSource", "VideoEncoder", "PTZ")
        wanted = [soap.element(soap.MEDIA2, "Type", kind) for kind in kinds]
        answer = reading.tree(self._services.ask(soap.MEDIA2, "GetProfiles", *wanted))
        return _kept(_profile2(item) for item in reading.items(answer, "Profiles"))

    def _uri2(self, operation: str, profile: Profile, *inner: soap.Element) -> object:
        token = soap.element(soap.MEDIA2, "ProfileToken", profile.token)
        answer = self._services.ask(soap.MEDIA2, operation, *inner, token)
        return answer.findtext(f"{{{soap.MEDIA2}}}Uri")


def _kept(profiles: Iterable[Profile | None]) -> tuple[Profile, ...]:
    return tuple(profile for profile in profiles if profile is not None)


def _present(claimed: object, what: str) -> str:
    if not isinstance(claimed, str) or not claimed.strip():
        raise CameraUnsupported(f"the camera gives no address of a {what}")
    return claimed


def _profile1(item: object) -> Profile | None:
    encoder = reading.at(item, "VideoEncoderConfiguration")
    encoding = reading.text(encoder, "Encoding").upper()
    return _profile(
        item,
        soap.MEDIA1,
        source=reading.at(item, "VideoSourceConfiguration"),
        encoder=encoder,
        group=reading.whole(encoder, encoding, "GovLength"),
        ptz=reading.at(item, "PTZConfiguration"),
    )


def _profile2(item: object) -> Profile | None:
    encoder = reading.at(item, "Configurations", "VideoEncoder")
    return _profile(
        item,
        soap.MEDIA2,
        source=reading.at(item, "Configurations", "VideoSource"),
        encoder=encoder,
        group=reading.whole(encoder, "GovLength"),
        ptz=reading.at(item, "Configurations", "PTZ"),
    )


def _profile(
    item: object,
    namespace: str,
    *,
    source: object,
    encoder: object,
    group: int | None,
    ptz: object,
) -> Profile | None:
    """Return a profile, None for one without a token: nothing can be asked of it."""
    token = reading.exact(item, "token")
    if not token:
        return None
    return Profile(
        token=token,
        name=reading.text(item, "Name"),
        namespace=namespace,
        source=reading.exact(source, "SourceToken"),
        encoding=reading.text(encoder, "Encoding").upper(),
        width_px=reading.whole(encoder, "Resolution", "Width"),
        height_px=reading.whole(encoder, "Resolution", "Height"),
        fps=reading.number(encoder, "RateControl", "FrameRateLimit"),
        bit_rate_kbps=reading.whole(encoder, "RateControl", "BitrateLimit"),
        group_frames=group,
        has_ptz=ptz is not None,
    )
