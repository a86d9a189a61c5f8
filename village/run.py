"""``python -m village run``: a whole village on one machine, until told to stop."""

import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from pydantic import SecretStr

from models.store import ModelStore
from protocol.clock import Clock
from protocol.topics import CENTRE_USER
from village import demo, footage, settings
from village.broker.broker import Broker, BrokerKind
from village.broker_keeper import BrokerKeeper
from village.child import Child, Program, python_module
from village.footage import Footage, FootageError, Source
from village.home import Home, HomeError
from village.logfile import LogFile
from village.person_model import ModelErrand, shown
from village.seed import logins_text, pins_text, seed_document
from village.settings import Detection, Places
from village.state import StateFile
from village.supervisor import Ended, StopSignal, Supervisor
from village.testcam import server
from village.testcam.programme import Mount
from village.toml import Value
from village.wall_watch import WallWatch

log = logging.getLogger(__name__)

_EDGE = "edge"
_MODEL_WAIT_S = 20.0
_LIVE_LIMIT_S = 90.0
_CAMERA_LIMIT_S = 10.0
_TAIL_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Choices:
    """What the command line asks for. No ``cameras`` means the demo's four."""

    data: Path
    cameras: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8600
    database: str | None = None
    broker: BrokerKind | None = None
    testcam: server.Kind | None = None
    detection: Detection = field(default_factory=Detection)
    keeps_examples: bool = False


class Village:
    """Everything of one run. Uses the main thread, where its children are started."""

    def __init__(self, choices: Choices, clock: Clock) -> None:
        self._choices = choices
        self._clock = clock
        self._home = Home(choices.data)
        self._stop = StopSignal()
        self._logs: list[LogFile] = []
        self._state = StateFile(self._home.write_state, clock, self._tell_unwritten)
        self._supervisor = Supervisor(self._stop, clock, self._tell_ended, self._write_state)
        self._places = Places(
            choices.host,
            choices.port,
            settings.free_port(),
            settings.camera_port(self._home.folder / "edge.toml"),
            settings.free_port(),
        )
        self._keeper: BrokerKeeper | None = None
        self._started_at = clock.now()
        self._live_at = ""

    def run(self) -> int:
        """Start all, watch over it, stop all; return the exit status."""
        self._stop.install()
        settings.check_port(self._choices.host, self._choices.port)
        self._home.open()
        try:
            return self._run()
        finally:
            self._shut_down()
            self._home.close()

    def _run(self) -> int:
        _say(f"探哨 Tanshao · 数据目录 data: {self._home.folder}")
        _warn_without_interface()
        store = ModelStore(self._choices.detection.model_dirs)
        errand = ModelErrand(store)
        if self._choices.detection.model == "auto":
            errand.start()
        cameras = self._start_cameras()
        if cameras is None or self._stop.is_set:
            return 0 if self._stop.is_set else 1
        errand.wait(_MODEL_WAIT_S)
        _say(f"人员模型 person model: {shown(store, self._choices.detection.model)}")
        _say("正在启动 starting …")
        edge_toml, central_toml, seed_toml = self._write_settings(cameras)
        self._start_broker()
        if not self._set_up_centre(central_toml, seed_toml):
            return 0 if self._stop.is_set else 1
        if not self._choices.cameras and not self._wait_for_cameras():
            return 0
        self._supervisor.add(
            self._child(_python(_EDGE, "edge", "run", "--config", edge_toml, stop_s=8.0))
        )
        for name, command in (("centre", "serve"), ("consumer", "consume")):
            program = _python(name, "central", command, "--config", central_toml, stop_s=4.0)
            self._supervisor.add(self._child(program))
        self._watch_over()
        return 0

    # -- before the programs --------------------------------------------------------------------

    def _start_cameras(self) -> list[Value] | None:
        """Return the cameras of the configuration; the demo's are made and started first."""
        if self._choices.cameras:
            cameras = settings.real_cameras(self._choices.cameras, self._home, os.environ)
            # The programs read the file; nobody needs it in their environment.
            os.environ.pop("CAMERA_PASSWORD", None)
            return cameras
        try:
            found = footage.prepare(
                self._home.folder / "demo",
                tuple(camera.view for camera in demo.CAMERAS),
                Progress("准备演示画面 making the demo's pictures").show,
                lambda: self._stop.is_set,
            )
        except FootageError as error:
            if not self._stop.is_set:
                _say(f"演示画面无法生成 · {error}")
            return None
        self._supervisor.add(self._child(self._test_camera(found)))
        return settings.demo_cameras(self._places)

    def _wait_for_cameras(self) -> bool:
        """Wait until the test camera answers, so that the edge's first try is not lost.

        False where it is time to stop. One that never answers is the edge's to tell of.
        """
        limit_ns = self._clock.monotonic_ns() + round(_CAMERA_LIMIT_S * 1e9)
        port = self._places.camera_port
        return self._supervisor.until(lambda: settings.answers(port) or self._past(limit_ns))

    def _test_camera(self, found: Footage) -> Program:
        if found.source is Source.DRAWN:
            _say(
                "未找到演示视频,改用手绘动画:人员检测不会有结果 · the demo's video was not found; "
                "drawn figures are shown instead and no detector takes them for people"
            )
        kind = self._choices.testcam or ("gst" if server.has_gstreamer() else "python")
        mounts = []
        for camera_id, clips in found.clips.items():
            mounts.append(Mount(f"/{camera_id}/main", clips.main, Fraction(footage.FPS)))
            mounts.append(Mount(f"/{camera_id}/sub", clips.sub, Fraction(footage.FPS)))
        line = server.command(kind, mounts, port=self._places.camera_port)
        return Program("testcam", line, {"PYTHONPATH": server.environment(kind)["PYTHONPATH"]})

    def _write_settings(self, cameras: Sequence[Value]) -> tuple[str, str, str]:
        home, places = self._home, self._places
        edge = settings.edge_document(home, places, cameras, self._choices.detection)
        database = settings.database(self._choices.database, home, os.environ)
        # The programs read the file; nobody needs it in their environment.
        os.environ.pop("DATABASE_PASSWORD", None)
        documents = {
            "edge.toml": edge,
            "central.toml": settings.central_document(
                home, places, database, keeps_examples=self._choices.keeps_examples
            ),
            "seed.toml": seed_document(home),
            "logins.txt": f"{logins_text(home, places.web_url)}\n\n{pins_text(home)}\n",
        }
        paths = {name: str(home.write(name, text)) for name, text in documents.items()}
        return paths["edge.toml"], paths["central.toml"], paths["seed.toml"]

    # -- the programs ---------------------------------------------------------------------------

    def _child(self, program: Program) -> Child:
        log = LogFile(self._home.logs / f"{program.name}.log")
        self._logs.append(log)
        return Child(program, log, self._clock)

    def _start_broker(self) -> None:
        names = {demo.BOX_ID: "box-token", CENTRE_USER: "centre-token"}
        credentials = {
            user: SecretStr(self._home.word(self._home.token(name))) for user, name in names.items()
        }
        broker = Broker(
            self._home.folder / "broker",
            credentials,
            port=self._places.mqtt_port,
            kind=self._choices.broker,
        )
        if broker.kind is BrokerKind.EMBEDDED:
            _say(
                "内置消息服务:只供一个村或试用,乡镇请装 Mosquitto · "
                f"embedded broker: {broker.kind.advice}"
            )
        self._keeper = BrokerKeeper(broker, self._clock)
        self._keeper.start()

    def _set_up_centre(self, central_toml: str, seed_toml: str) -> bool:
        name = "centre-setup"
        program = _python(name, "central", "setup", "--config", central_toml, "--file", seed_toml)
        status = self._supervisor.complete(self._child(program))
        if status not in (0, None):
            log = self._home.logs / f"{name}.log"
            _say(f"中心无法初始化 · the centre's setup failed ({log}):\n{_tail(log)}")
        return status == 0

    def _watch_over(self) -> None:
        places = self._places
        password = self._home.word(self._home.password("password-wall"))
        watch = WallWatch(places.local_host, places.web_port, places.web_url, password)
        watch.start()
        limit_ns = self._clock.monotonic_ns() + round(_LIVE_LIMIT_S * 1e9)
        expected = len(self._choices.cameras) or len(demo.CAMERAS)
        try:
            if not self._supervisor.until(lambda: watch.sight.answers or self._past(limit_ns)):
                return
            _say("\n" + logins_text(self._home, places.web_url))
            done = self._supervisor.until(
                lambda: watch.sight.live >= expected or self._past(limit_ns)
            )
        finally:
            watch.close()
        if not done:
            return
        sight = watch.sight
        self._say_live(sight.live, expected, sight.duty)
        self._live_at = self._clock.now().isoformat()
        self._write_state()
        self._supervisor.until(self._never)

    def _never(self) -> bool:
        """Say that there is more to watch; a state that the disk refused is tried again."""
        self._state.retry()
        return False

    def _say_live(self, live: int, expected: int, duty: Sequence[tuple[str, str]]) -> None:
        pins = self._home.pins(tuple(person for person, _ in duty))
        if duty:
            people = ",".join(f"{name}(PIN {pins[person]})" for person, name in duty)
            _say(f"今日值班 on duty now: {people}")
        _say(f"全部 PIN all PINs: {self._home.folder / 'logins.txt'}")
        took_s = (self._clock.now() - self._started_at).total_seconds()
        _say(f"画面已上线 cameras live: {live}/{expected} · {took_s:.1f} s")
        if live < expected:
            _say(f"其余摄像机继续重连,日志 the others are tried again, see: {self._home.logs}")
        _say("按 Ctrl-C 停止 · Ctrl-C stops everything")

    def _past(self, limit_ns: int) -> bool:
        return self._clock.monotonic_ns() >= limit_ns

    # -- telling and ending ---------------------------------------------------------------------

    def _tell_ended(self, ended: Ended) -> None:
        again = (
            f"{ended.pause_s:g} s 后重启 again in" if ended.pause_s else "立即重启 again at once"
        )
        _say(f"{ended.name}: {ended.why} · {again}")

    def _tell_unwritten(self, why: str) -> None:
        _say(
            f"状态文件无法写入,其余照常运行 · village.json can't be written ({why}); all else runs"
        )

    def _write_state(self) -> None:
        broker = self._keeper
        programs = [
            {"name": child.name, "pid": child.pid, "starts": child.starts}
            for child in self._supervisor.children
        ]
        self._state.say(
            {
                "pid": os.getpid(),
                "started_at": self._started_at.isoformat(),
                "live_at": self._live_at,
                "web_url": self._places.web_url,
                "edge_url": f"http://127.0.0.1:{self._places.edge_port}",
                "camera_url": f"rtsp://127.0.0.1:{self._places.camera_port}",
                "mqtt_port": self._places.mqtt_port,
                "broker": broker.broker.kind.value if broker else None,
                "broker_advice": broker.broker.kind.advice if broker else "",
                "programs": programs,
            }
        )

    def _shut_down(self) -> None:
        running = bool(self._supervisor.children)
        if running:
            _say("正在停止 stopping …")
        self._supervisor.shut_down(_EDGE)
        if self._keeper is not None:
            self._keeper.close()
        for log in self._logs:
            log.close()
        if running:
            _say("已停止 stopped")


class Progress:
    """A share that grows, shown on one line of a terminal, or now and then in a file."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = -1

    def show(self, share: float) -> None:
        """Show the share (0–1)."""
        percent = int(share * 100)
        if sys.stdout.isatty():
            end = "\n" if percent == 100 else ""  # noqa: PLR2004 - per cent
            if percent > self._shown:
                _say(f"\r{self._what} {percent} %", end=end)
        elif percent // 25 > self._shown // 25:
            _say(f"{self._what} {percent} %")
        self._shown = max(self._shown, percent)


def _python(name: str, module: str, *arguments: str, stop_s: float = 5.0) -> Program:
    return python_module(name, module, *arguments, stop_s=stop_s)


def _warn_without_interface() -> None:
    page = Path(__file__).resolve().parents[1] / "central" / "web" / "dist" / "index.html"
    if not page.exists():
        raise HomeError("界面尚未构建,请用 make run · the interface is not built yet: use make run")


def _tail(path: Path) -> str:
    return path.read_bytes()[-_TAIL_BYTES:].decode("utf-8", "replace")


def _say(text: str, end: str = "\n") -> None:
    try:
        print(text, end=end, flush=True)
    except OSError as error:  # the terminal has gone, or the disk that the output goes to is full
        log.warning("village.not_said", extra={"error": error.strerror})
