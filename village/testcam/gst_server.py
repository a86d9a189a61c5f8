"""The test camera on gst-rtsp-server, run by a Python that has ``gi`` (Debian's own).

``python3 -m village.testcam.gst_server --mount /cam=clip.h264@7``. Needs of Debian:
gir1.2-gst-rtsp-server-1.0 python3-gi gstreamer1.0-plugins-base -good -bad.
"""

import signal
import sys
import threading
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - gi asks versions first

from protocol.clock import Clock, SystemClock  # noqa: E402
from village.testcam.clip import Clip  # noqa: E402
from village.testcam.programme import (  # noqa: E402
    Credentials,
    Options,
    Programme,
    Report,
    parse_options,
)

_ROLE = "viewer"
_SESSION_CLEANUP_S = 5
#: A client waits for the first key frame of a mount that nobody looked at; others must not.
_CLIENT_THREADS = 32


class Viewing:
    """One prepared media of a mount: it begins, and after a skip goes on, with a key frame.

    Times count from its first frame: the pipeline's own clock starts when the client comes.
    """

    def __init__(self, source: Any) -> None:  # noqa: ANN401 - gi has no types
        self._source = source
        self._first: int | None = None
        self._next: int | None = None

    def push(self, frame: int, programme: Programme) -> bool:
        """Send a frame and return whether the media still takes them."""
        unit = programme.clip.units[frame % len(programme.clip.units)]
        if frame != self._next and not unit.is_key:
            return True
        if self._first is None:
            self._first = frame
        self._next = frame + 1
        buffer = Gst.Buffer.new_wrapped(unit.annexb())
        buffer.duration = int(Gst.SECOND / programme.mount.fps)
        buffer.pts = buffer.dts = programme.due_ns(frame) - programme.due_ns(self._first)
        return bool(self._source.emit("push-buffer", buffer) == Gst.FlowReturn.OK)


class Factory(GstRtspServer.RTSPMediaFactory):  # type: ignore[misc]  # gi has no types
    """Builds a mount's pipeline when its first client comes, and shares it with the others.

    The pump runs from the server's start, so that the position in the clip never depends on when
    somebody connects.
    """

    def __init__(self, programme: Programme, report: Report, clock: Clock) -> None:
        super().__init__()
        self._programme = programme
        self._report = report
        self._clock = clock
        self._lock = threading.Lock()
        self._viewings: list[Viewing] = []
        self._stop = threading.Event()
        coding = programme.clip.coding
        self.set_shared(True)
        self.set_latency(0)
        # config-interval=0: the clip's key frames bring their parameter sets. -1 would put them
        # before every slice of a key frame, which splits it in two for the receiver.
        self.set_launch(
            "( appsrc name=src is-live=true format=time do-timestamp=false max-bytes=8000000 "
            f"caps=video/x-{coding},stream-format=byte-stream,alignment=au,"
            f"framerate={programme.mount.fps.numerator}/{programme.mount.fps.denominator} ! "
            f"{coding}parse ! rtp{coding}pay name=pay0 pt=96 mtu=1400 config-interval=0 )"
        )

    def start(self) -> None:
        """Begin to play."""
        threading.Thread(target=self._pump, name=self._programme.mount.path, daemon=True).start()

    def do_configure(self, media: Any) -> None:  # noqa: ANN401 - gi has no types
        """Take a new media's source (called by GStreamer)."""
        viewing = Viewing(media.get_element().get_by_name("src"))
        with self._lock:
            self._viewings.append(viewing)
        media.connect("unprepared", lambda _media: self._forget(viewing))

    def _forget(self, viewing: Viewing) -> None:
        with self._lock:
            if viewing in self._viewings:
                self._viewings.remove(viewing)

    def _pump(self) -> None:
        frame = 0
        while True:
            now_ns = self._clock.monotonic_ns()
            frame = self._programme.catch_up(frame, now_ns)
            wait_ns = self._programme.due_ns(frame) - now_ns
            if wait_ns > 0:
                self._stop.wait(wait_ns / 1e9)
            if frame % len(self._programme.clip.units) == 0:
                self._report.loop(self._programme, frame)
            with self._lock:
                viewings = list(self._viewings)
            for viewing in viewings:
                if not viewing.push(frame, self._programme):
                    self._forget(viewing)
            frame += 1


def _role() -> Any:  # noqa: ANN401 - gi has no types
    role = Gst.Structure.new_empty(_ROLE)
    role.set_value("media.factory.access", True)  # noqa: FBT003 - gi takes it by position
    role.set_value("media.factory.construct", True)  # noqa: FBT003
    return role


def _auth(options: Options) -> Any:  # noqa: ANN401 - gi has no types
    auth = GstRtspServer.RTSPAuth()
    if options.certificate is not None:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(str(options.certificate)))
    if options.credentials is not None:
        _ask_for(auth, options.credentials)
    return auth


def _ask_for(auth: Any, credentials: Credentials) -> None:  # noqa: ANN401 - gi has no types
    token = GstRtspServer.RTSPToken.new()
    token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, _ROLE)
    name, password = credentials.username, credentials.password
    if credentials.kind == "digest":
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(name, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(name, password), token)


def serve(options: Options, clock: Clock) -> int:
    """Serve until SIGTERM or SIGINT; return the exit status."""
    Gst.init(None)
    clips = {mount.file: Clip.load(mount.file) for mount in options.mounts}
    server = GstRtspServer.RTSPServer()
    server.set_address(options.host)
    server.set_service(str(options.port))
    server.get_thread_pool().set_max_threads(_CLIENT_THREADS)
    if options.credentials is not None or options.certificate is not None:
        server.set_auth(_auth(options))
    report = Report(clock)
    factories = []
    for mount in options.mounts:
        programme = Programme(mount, clips[mount.file], report.started_mono_ns)
        factory = Factory(programme, report, clock)
        if options.credentials is not None:
            factory.add_role_from_structure(_role())
        server.get_mount_points().add_factory(mount.path, factory)
        factories.append(factory)
    if server.attach(None) == 0:
        sys.stderr.write(f"can't listen on {options.host}:{options.port}\n")
        return 1
    loop = GLib.MainLoop()
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    GLib.timeout_add_seconds(
        _SESSION_CLEANUP_S, lambda: server.get_session_pool().cleanup() is not None
    )
    report.ready("gst", options.host, server.get_bound_port())
    for factory in factories:
        factory.start()
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(serve(parse_options(), SystemClock()))
