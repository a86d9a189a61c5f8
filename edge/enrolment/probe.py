"""One camera examined: asked over ONVIF where it has an address of that, and its streams read."""

import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace

from pydantic import SecretStr

from edge.cameras.camera import Camera
from edge.cameras.camera_clock import ClockSource
from edge.cameras.codec_report import CodecReport, Playable
from edge.cameras.door import Door
from edge.cameras.examination import Examination, examine
from edge.doctor.camera import Step as FailedStep
from edge.doctor.camera import StreamFacts
from edge.doctor.probes.camera import Target, look_at
from edge.doctor.redaction import Redaction
from edge.enrolment import advice
from edge.enrolment.advice import Matter
from edge.enrolment.errand import (
    Device,
    Examining,
    InBrowser,
    ProbeSaid,
    Pulled,
    Step,
    Stream,
    Transport,
)
from edge.enrolment.key_frame import KeptKeyFrame
from edge.enrolment.profiles import Offer, chosen
from edge.enrolment.request import scheme_of
from edge.enrolment.wording import Words
from edge.errors import CameraError, CameraFault
from edge.ingest.choice import ChosenOpener, TellingOpener
from edge.ingest.ffmpeg import FfmpegOpener
from edge.ingest.own import OwnOpener
from edge.ingest.reader import Reader
from edge.ingest.source import Opener, Recoded
from edge.media.sample import Codec
from edge.rtsp.challenge import Credentials
from protocol.clock import Clock
from protocol.relay import StreamName

_RTSP_PORT = 554
_KNOCK_S = 2.0
#: How the words of edge.cameras.line begin where none came about.
_NO_CONNECTION = "no connection"
_IN_BROWSER: dict[Playable, InBrowser] = {
    Playable.EVERYWHERE: "yes",
    Playable.SOME: "some",
    Playable.NOWHERE: "no",
}
_CODEC_NAMES = {Codec.H264: "H.264", Codec.H265: "H.265"}


class Probe:
    """Examines one camera for ``order``; ``tell`` is given what is being done.

    A login that was refused is not sent again, by whichever way (cameras I3).
    """

    def __init__(self, order: Examining, clock: Clock, tell: Callable[[Step], None]) -> None:
        self._order = order
        self._clock = clock
        self._tell = tell
        self._words = Words(Redaction([order.password] if order.password else []))
        self._kept: list[KeptKeyFrame] = []

    def run(self) -> ProbeSaid:
        """Return what was found; takes seconds, at worst two or three minutes."""
        order = self._order
        if order.rtsp_url is not None:
            return self._read(ProbeSaid(), order.rtsp_url, order.rtsp_sub_url)
        try:
            examined, door = self._examined()
        except CameraError as error:
            return self._failed(ProbeSaid(), self._unasked(error.kind, str(error)))
        said = _introduced(examined)
        offers = [
            Offer(
                stream.video.url,
                stream.profile.source,
                stream.profile.encoding,
                _pixels(stream.profile.width_px, stream.profile.height_px),
            )
            for stream in examined.streams
            if stream.video is not None
        ]
        if not offers:
            return self._failed(said, self._streamless(examined, door))
        main, sub = chosen(offers)
        return self._read(said, main.url, None if sub is None else sub.url)

    def picture(self) -> bytes | None:
        """Return a picture of the sub-stream, else of the main one, as a JPEG; None: none came."""
        for kept in reversed(self._kept):
            if (jpeg := kept.jpeg()) is not None:
                return jpeg
        return None

    def _examined(self) -> tuple[Examination, Door]:
        """Ask over ONVIF. Raises CameraError."""
        order = self._order
        assert order.address is not None
        self._tell("looking")
        door = Door.parse(order.address)
        if order.certificate is not None:
            door = door.pinned(order.certificate)
        login = None
        if order.username is not None:
            login = Credentials(order.username, order.password)
        camera = Camera(door, login, self._clock, may_be_ahead=order.may_be_ahead)
        self._tell("asking")
        return examine(camera), door

    def _unasked(self, fault: CameraFault, said: str) -> Matter:
        assert self._order.address is not None
        host = Door.parse(self._order.address).host
        # Where there is no machine, nobody refuses a connection either.
        if fault is CameraFault.TIMEOUT and said.startswith(_NO_CONNECTION):
            fault = CameraFault.UNREACHABLE
        if fault is CameraFault.UNREACHABLE and _is_open(host, _RTSP_PORT):
            fault = CameraFault.UNSUPPORTED
        has_login = self._order.username is not None
        return advice.unasked(fault, said, host, has_login=has_login)

    def _streamless(self, examined: Examination, door: Door) -> Matter:
        """Return why a camera that was asked offers no stream."""
        # Without a single answer it speaks no ONVIF; a login that is refused is what is said first.
        problems = sorted(examined.problems, key=lambda each: each.kind is not CameraFault.AUTH)
        if not problems:
            return Matter("no_stream", "must", {"detail": "no profile"})
        first = problems[0]
        is_known = examined.information is not None
        if is_known and first.kind in {CameraFault.UNSUPPORTED, CameraFault.BAD_XML}:
            return Matter("no_stream", "must", {"detail": first.said, "host": door.host})
        return self._unasked(first.kind, first.said)

    def _read(self, said: ProbeSaid, main_url: str, sub_url: str | None) -> ProbeSaid:
        """Read the streams and return what was ``said`` with what they are."""
        main, transport = self._main(main_url)
        if said.clock_offset_s is not None:
            main = replace(main, clock_offset_s=said.clock_offset_s)
        said = said.model_copy(update={"clock_offset_s": _rounded(main.clock_offset_s)})
        if main.report is None:
            matter = advice.trouble(main)
            assert matter is not None
            return self._failed(said, matter)
        sub = None
        if sub_url is not None:
            self._tell("sub")
            sub = self._looked_at(StreamName.SUB, sub_url, transport)
        measured = [_measured(facts, transport) for facts in (main, sub) if facts is not None]
        return said.model_copy(
            update={
                "streams": tuple(each for each in measured if each is not None),
                "gb_per_day": round(main.report.daily_bytes / 1e9, 1),
                "advice": tuple(
                    map(self._words.advice, advice.advise(main, sub, self._order.space))
                ),
                "pulled": Pulled(
                    main_url=main_url,
                    # One that brings no picture would be a camera without a live picture.
                    sub_url=None if sub is None or sub.report is None else sub_url,
                    transport=transport,
                    certificate=self._order.certificate if _is_tls(main_url) else None,
                ),
            }
        )

    def _main(self, url: str) -> tuple[StreamFacts, Transport]:
        """Look at the main stream, by UDP where the camera sends nothing by TCP."""
        self._tell("main")
        facts = self._looked_at(StreamName.MAIN, url, "tcp")
        if facts.only_udp:
            return facts, "udp"
        if facts.failed is FailedStep.PICTURE and not _is_tls(url):
            other = self._looked_at(StreamName.MAIN, url, "udp")
            if other.report is not None:
                return other, "udp"
        return facts, "tcp"

    def _looked_at(self, stream: StreamName, url: str, transport: Transport) -> StreamFacts:
        order, certificate = self._order, self._order.certificate or ""

        def password() -> SecretStr:
            return SecretStr(order.password)

        def opener(reader: Reader) -> TellingOpener:
            recoded, who = Recoded(), {"stream": stream.value}

            def ffmpeg(by: Transport) -> Opener:
                return FfmpegOpener(url, self._clock, order.username, password, by, recoded)

            own = OwnOpener(url, reader, self._clock, order.username, password, certificate)
            return self._keeping(
                ChosenOpener(
                    own if transport == "tcp" else None,
                    None if _is_tls(url) else ffmpeg,
                    who,
                    transport,
                    recoded,
                )
            )

        target = Target(stream, url, order.username, password, opener, certificate)
        return look_at(target, contextlib.nullcontext(), self._clock)

    def _keeping(self, opener: TellingOpener) -> KeptKeyFrame:
        kept = KeptKeyFrame(opener)
        self._kept.append(kept)
        return kept

    def _failed(self, said: ProbeSaid, matter: Matter) -> ProbeSaid:
        return said.model_copy(update={"problem": self._words.problem(matter)})


def _introduced(examined: Examination) -> ProbeSaid:
    """Return what a camera said of itself."""
    clock, camera = examined.clock, examined.information
    is_known = clock is not None and clock.source is not ClockSource.UNKNOWN
    return ProbeSaid(
        device=camera
        and Device(maker=camera.manufacturer, model=camera.model, firmware=camera.firmware),
        clock_offset_s=_rounded(
            clock.offset.total_seconds() if clock is not None and is_known else None
        ),
    )


def _measured(facts: StreamFacts, transport: Transport) -> Stream | None:
    report: CodecReport | None = facts.report
    if report is None:
        return None
    return Stream(
        stream=facts.stream,
        codec=_CODEC_NAMES[report.codec],
        width=report.width,
        height=report.height,
        fps=round(report.fps, 1),
        gop_s=round(report.gop_s, 1),
        kbit_s=round(report.bit_rate_bps / 1000),
        b_frames=report.has_b_frames,
        transport=transport,
        in_browser=_IN_BROWSER[report.playable],
        has_sound=facts.has_sound,
    )


def _pixels(width: int | None, height: int | None) -> int | None:
    return None if width is None or height is None else width * height


def _rounded(offset_s: float | None) -> float | None:
    return None if offset_s is None else round(offset_s, 1)


def _is_tls(url: str) -> bool:
    return scheme_of(url) == "rtsps"


def _is_open(host: str, port: int) -> bool:
    """Return whether something listens there."""
    try:
        with socket.create_connection((host, port), _KNOCK_S):
            return True
    except OSError:
        return False
