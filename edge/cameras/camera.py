"""One camera over ONVIF: what it is, its time, its streams, and what it can be told to do."""

from dataclasses import dataclass
from datetime import datetime

from edge.cameras import reading
from edge.cameras.camera_clock import CameraClock
from edge.cameras.door import Door, Uri
from edge.cameras.media import Media, Profile
from edge.cameras.picture import Picture
from edge.cameras.pull_point import PullPoint
from edge.cameras.services import Services
from edge.cameras.session import Session
from edge.cameras.transport import Limits, look_up
from edge.errors import CameraUnsupported
from edge.rtsp.challenge import Credentials
from protocol.clock import Clock


@dataclass(frozen=True, slots=True)
class Information:
    """What a camera says it is; any of it may be empty."""

    manufacturer: str
    model: str
    firmware: str
    serial: str


@dataclass(frozen=True, slots=True)
class Preset:
    """A view that a camera can be turned to."""

    token: str
    name: str


class Camera:
    """A camera, asked on demand. Methods block for as long as ``limits`` say and raise CameraError.

    Nothing is kept open between questions and nothing is subscribed to until somebody asks. Safe
    for threads: a camera is asked one thing at a time.
    """

    def __init__(
        self,
        door: Door,
        login: Credentials | None,
        clock: Clock,
        *,
        limits: Limits | None = None,
        may_be_ahead: bool = False,
    ) -> None:
        """Look the door's host up: CameraUnreachable where it has no address.

        ``may_be_ahead``: as :class:`Session` says.
        """
        self._clock = clock
        self._session = Session(
            look_up(door), login, clock, limits or Limits(), may_be_ahead=may_be_ahead
        )
        self._services = Services(self._session)
        self.media = Media(self._services)
        self.picture = Picture(self._services)

    def information(self) -> Information:
        """Return what it says it is."""
        answer = self._services.call("devicemgmt", "GetDeviceInformation")
        return Information(
            manufacturer=reading.text(answer, "Manufacturer"),
            model=reading.text(answer, "Model"),
            firmware=reading.text(answer, "FirmwareVersion"),
            serial=reading.text(answer, "SerialNumber"),
        )

    def rewritten(self) -> tuple[Uri, ...]:
        """Return the services that it claims to be elsewhere and that are asked at our door."""
        known = self._services.known().values()
        return tuple(uri for uri in known if isinstance(uri, Uri) and uri.claimed is not None)

    def clock(self) -> CameraClock:
        """Ask it the time, without a login."""
        return self._session.clock(anew=True)

    def set_clock(self, to: datetime) -> CameraClock:
        """Set its clock, an aware time, and return what it then says.

        Its time zone is left alone, or repeated to a camera that wants it: many refuse any other.
        """
        if to.tzinfo is None:
            raise ValueError("a camera's clock is set to an aware time")
        utc = to.utctimetuple()
        wanted: dict[str, object] = {
            "DateTimeType": "Manual",
            "DaylightSavings": False,
            "UTCDateTime": {
                "Time": {"Hour": utc.tm_hour, "Minute": utc.tm_min, "Second": utc.tm_sec},
                "Date": {"Year": utc.tm_year, "Month": utc.tm_mon, "Day": utc.tm_mday},
            },
        }
        try:
            self._services.call("devicemgmt", "SetSystemDateAndTime", **wanted)
        except CameraUnsupported:
            answer = self._services.call("devicemgmt", "GetSystemDateAndTime")
            zone = reading.exact(answer, "TimeZone", "TZ")
            if not zone:
                raise
            self._services.call(
                "devicemgmt", "SetSystemDateAndTime", **wanted, TimeZone={"TZ": zone}
            )
        return self.clock()

    def snapshot(self, profile: Profile) -> bytes:
        """Return the picture of a profile, as the camera codes it."""
        return self._session.fetch(self.media.snapshot(profile).url).body

    def presets(self, profile: Profile) -> tuple[Preset, ...]:
        """Return the views that a profile's camera can be turned to."""
        answer = self._services.call("ptz", "GetPresets", ProfileToken=profile.token)
        return tuple(
            Preset(token, reading.text(item, "Name"))
            for item in reading.items(answer)
            if (token := reading.exact(item, "token"))
        )

    def turn_to(self, profile: Profile, preset: Preset) -> None:
        """Turn it to a view; returns before it is there."""
        self._services.call(
            "ptz", "GotoPreset", ProfileToken=profile.token, PresetToken=preset.token
        )

    def reboot(self) -> str:
        """Start it anew; return what it says to that. It is away for a minute or two."""
        return reading.text({"said": self._services.call("devicemgmt", "SystemReboot")}, "said")

    def events(self) -> PullPoint:
        """Subscribe to its events; the caller owns what it gets, and closes it."""
        return PullPoint(self._services, self._clock)
