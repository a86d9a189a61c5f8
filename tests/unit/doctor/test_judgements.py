"""What is said of facts, patient by patient; tests/integration/doctor runs the probes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge.cameras.codec_report import CodecReport
from edge.doctor import box, broker, camera, centre, clock, disk, model, network
from edge.doctor.broker import BrokerFacts
from edge.doctor.camera import Room, Step, StreamFacts, room_of
from edge.doctor.centre import Answer, CentreFacts
from edge.doctor.certificate import Distrust, Handshake
from edge.doctor.clock import ClockFacts
from edge.doctor.disk import Expected, FolderFacts, Limits, Use, WriteTest
from edge.doctor.finding import Finding, Kind, Severity
from edge.doctor.model import ModelFacts
from edge.doctor.network import RouteFacts, TripFacts
from edge.doctor.wording import Wordings
from edge.media.sample import Codec
from protocol.relay import StreamName

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
GB = 1_000_000_000


def ids(findings) -> list[str]:
    """Return what was found, but for what is fine; every finding must have all its words."""
    found: list[Finding] = list(findings)
    for finding in found:
        for language in ("zh", "en"):
            Wordings(language).of(finding)
    return [each.kind.id for each in found if each.kind.severity is not Severity.OK]


def fine(findings) -> list[str]:
    return [each.kind.id for each in findings if each.kind.severity is Severity.OK]


# -- cameras ----------------------------------------------------------------------------------

REPORT = CodecReport(
    codec=Codec.H264,
    mime_codec="avc1.64001f",
    width=1920,
    height=1080,
    fps=25.0,
    claimed_fps=25.0,
    bit_rate_bps=4_000_000,
    gop_s=2.0,
    has_b_frames=False,
    pace=1.0,
)
SUB_REPORT = replace(REPORT, width=640, height=360, fps=10.0, claimed_fps=10.0, bit_rate_bps=400000)
MAIN = StreamFacts(StreamName.MAIN, "192.0.2.10", 554, has_login=True, status=200, report=REPORT)
SUB = replace(MAIN, stream=StreamName.SUB, report=SUB_REPORT)


def failed(step: Step, status: int | None = None, **changes) -> StreamFacts:
    return replace(MAIN, failed=step, status=status, report=None, **changes)


def of_camera(main=MAIN, sub=SUB, room=None):
    return list(camera.judge("gate", main, sub, room))


def test_of_a_camera_that_is_well_set_nothing_is_wrong():
    assert ids(of_camera()) == []
    room = Room(1000 * GB, 4)
    assert fine(of_camera(room=room)) == ["camera.fine", "camera.stream"]
    assert fine(of_camera(room=None)) == ["camera.stream"] * 2  # the disk is not there


@pytest.mark.parametrize(
    ("main", "found"),
    [
        (failed(Step.NAME), "camera.name_unknown"),
        (failed(Step.REACH), "camera.unreachable"),
        (failed(Step.PORT), "camera.port_closed"),
        (failed(Step.RTSP), "camera.not_rtsp"),
        (failed(Step.TLS), "camera.untrusted"),
        (failed(Step.PLAIN), "camera.password_plain"),
        (failed(Step.LOGIN), "camera.password_unreadable"),
        (failed(Step.ANSWER, 401), "camera.password_wrong"),
        (failed(Step.ANSWER, 401, has_login=False), "camera.password_missing"),
        (failed(Step.ANSWER, 403), "camera.locked"),
        (failed(Step.ANSWER, 404), "camera.path_wrong"),
        (failed(Step.ANSWER, 302), "camera.refused"),
        (failed(Step.CODEC, 200), "camera.codec_unsupported"),
        (failed(Step.PICTURE, 200), "camera.no_picture"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_step_that_fails_has_a_finding_of_its_own(main, found):
    assert ids(of_camera(main, None)) == [found]


def test_a_camera_that_sends_by_udp_only_is_told_so_once():
    udp = replace(MAIN, only_udp=True)
    assert ids(of_camera(udp)) == ["camera.only_udp"]
    assert ids(of_camera(udp, replace(SUB, only_udp=True))) == ["camera.only_udp"]
    silent = failed(Step.PICTURE, 200, only_udp=True)
    assert ids(of_camera(silent, None)) == ["camera.no_picture"]


def test_what_single_pictures_cost_is_said_of_each_stream():
    found = of_camera(replace(MAIN, recoded_percent=7), replace(SUB, recoded_percent=2))
    assert ids(found) == ["camera.pictures"] * 2
    assert [each.values["percent"] for each in found if each.kind.id == "camera.pictures"] == [7, 2]


@pytest.mark.parametrize("status", [401, 403])
def test_a_login_that_was_refused_must_not_be_tried_again(status):
    assert failed(Step.ANSWER, status).is_login_refused
    assert not failed(Step.ANSWER, 404).is_login_refused
    assert not failed(Step.PORT).is_login_refused


def test_what_both_streams_fail_by_is_said_once_and_a_wrong_path_of_each():
    away = failed(Step.REACH)
    assert ids(of_camera(away, replace(away, stream=StreamName.SUB))) == ["camera.unreachable"]
    lost = failed(Step.ANSWER, 404)
    assert ids(of_camera(lost, replace(lost, stream=StreamName.SUB))) == ["camera.path_wrong"] * 2
    assert ids(of_camera(MAIN, failed(Step.CODEC, 200))) == ["camera.codec_unsupported"]


@pytest.mark.parametrize(
    ("offset_s", "found"),
    [(4, []), (-6, ["camera.clock_off"]), (61, ["camera.clock_wrong"])],
)
def test_a_cameras_clock_may_be_off_by_seconds(offset_s, found):
    assert ids(of_camera(replace(MAIN, clock_offset_s=offset_s))) == found


def test_a_disk_that_is_too_small_for_a_camera_is_said_before_the_box_knows_it():
    room = Room(1000 * GB, 4, {"gate": 30})
    short = [each for each in of_camera(room=room) if each.kind is Kind.DISK_DAYS_SHORT]
    assert [each.values for each in short] == [{"days": 30, "fits_days": 5.8}]
    assert ids(of_camera(room=Room(6000 * GB, 4, {"gate": 30}))) == []


def test_how_many_days_fit_hangs_on_all_cameras():
    (finding,) = of_camera(MAIN, None, Room(1000 * GB, 4))[:1]
    assert finding.values["gb_a_day"] == 43.2
    assert finding.values["disk_days"] == 5  # 1000 / (4 * 43.2), whole days


def test_what_recordings_take_already_is_room_for_newer_ones():
    limits = Limits(0.05, None)  # of 4000 GB 400 are free, 200 stay so
    assert room_of(FOLDER, limits, 3000 * GB, 4, {}) == Room(3200 * GB, 4)
    assert room_of(FOLDER, Limits(0.05, 1000 * GB), 3000 * GB, 4, {}) == Room(1000 * GB, 4)
    assert room_of(replace(FOLDER, free_bytes=0), limits, 0, 4, {}) == Room(0, 4)
    assert room_of(FOLDER, limits, None, 4, {}) is None
    fresh = replace(FOLDER, is_there=False)
    assert room_of(fresh, limits, None, 4, {}) == Room(200 * GB, 4)


def test_without_a_sub_stream_one_is_advised():
    assert ids(of_camera(MAIN, None)) == ["camera.sub_absent"]


# -- disks ------------------------------------------------------------------------------------

FOLDER = FolderFacts(
    use=Use.RECORDINGS,
    path="/srv/recordings",
    is_there=True,
    is_missing=False,
    device=1,
    network="",
    is_read_only=False,
    is_writable=True,
    total_bytes=4000 * GB,
    free_bytes=400 * GB,
    inodes=1000,
    free_inodes=900,
)
DATA = replace(FOLDER, use=Use.DATABASE, path="/var/lib/tanshao")
LIMITS = Limits(0.05, None)


def of_disk(folder, limits=LIMITS, *expected):
    return ids(disk.judge([folder], limits, expected))


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        (FOLDER, []),
        (replace(FOLDER, is_there=False, is_missing=True), ["disk.missing"]),
        (replace(FOLDER, is_read_only=True, is_writable=False), ["disk.read_only"]),
        (replace(FOLDER, is_writable=False), ["disk.not_writable"]),
        (replace(FOLDER, network="nfs4"), []),
        (replace(DATA, network="nfs4"), ["disk.network_database"]),
        (replace(FOLDER, free_bytes=99 * GB), ["disk.full"]),
        (replace(FOLDER, free_bytes=101 * GB), []),
        (replace(FOLDER, free_inodes=49), ["disk.inodes_short"]),
        (replace(FOLDER, inodes=0, free_inodes=0), []),  # btrfs counts none
        (replace(FOLDER, worn_percent=80), ["disk.worn"]),
        (replace(FOLDER, failing=True), ["disk.failing"]),
        (replace(FOLDER, written=WriteTest(9.0)), ["disk.slow"]),
        (replace(FOLDER, written=WriteTest(90.0)), []),
        (replace(FOLDER, written=WriteTest(None, "no space")), ["disk.write_failed"]),
    ],
)
def test_a_folder_is_judged_by_what_it_is_on_and_for(folder, found):
    assert of_disk(folder) == found


def test_a_quota_larger_than_the_disk_limits_nothing():
    assert of_disk(FOLDER, Limits(0.05, 4001 * GB)) == ["disk.quota_too_large"]
    assert of_disk(FOLDER, Limits(0.05, 3000 * GB)) == []


def test_a_file_system_that_two_folders_share_is_judged_once():
    full = replace(FOLDER, free_bytes=0)
    assert ids(disk.judge([full, replace(DATA, free_bytes=0)], LIMITS, ())) == ["disk.full"]
    other = replace(DATA, free_bytes=0, device=2)
    assert ids(disk.judge([full, other], LIMITS, ())) == ["disk.full"] * 2


def test_a_camera_whose_days_do_not_fit_is_named():
    assert of_disk(FOLDER, LIMITS, Expected("gate", 30, 29.5)) == ["disk.days_short"]
    assert of_disk(FOLDER, LIMITS, Expected("gate", 30, 30.5)) == []


# -- clock ------------------------------------------------------------------------------------

CLOCK = ClockFacts(now=NOW, synchronised=True, has_rtc=True, rtc_offset_s=0.5)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (CLOCK, []),
        (replace(CLOCK, synchronised=False), ["clock.unsynchronised"]),
        (replace(CLOCK, now=datetime(1970, 1, 2, tzinfo=UTC)), ["clock.implausible"]),
        (replace(CLOCK, has_rtc=False, rtc_offset_s=None), ["clock.no_rtc"]),
        (replace(CLOCK, rtc_offset_s=-61.0), ["clock.rtc_off"]),
        (ClockFacts(NOW, None, None, None), []),
    ],
)
def test_a_clock_is_judged_by_what_the_system_tells_of_it(facts, found):
    assert ids(clock.judge(facts)) == found


@pytest.mark.parametrize(
    ("offset_s", "found"), [(5.0, []), (-5.1, ["clock.off"]), (60.1, ["clock.wrong"])]
)
def test_a_clock_that_is_off_the_centres_is_told_by_how_much_it_matters(offset_s, found):
    assert ids(clock.judge_offset(offset_s)) == found


# -- network ----------------------------------------------------------------------------------

ROUTE = RouteFacts("eth0", 1000)
TRIP = TripFacts("centre.example.org", 443, is_known=True, tries=5, rtt_ms=30.0, path_mtu=1500)


@pytest.mark.parametrize(
    ("route", "trip", "found"),
    [
        (ROUTE, TRIP, []),
        (ROUTE, None, []),
        (None, None, ["network.no_route"]),
        (None, TRIP, ["network.no_route"]),
        (None, replace(TRIP, is_local=True), []),
        (RouteFacts("wwan0", None), TRIP, ["network.mobile"]),
        (RouteFacts("eth0", 10), TRIP, ["network.link_slow"]),
        (RouteFacts("eth0", -1), TRIP, []),  # what a driver says that does not know
        (ROUTE, TripFacts("centre", 443, is_known=False), ["network.name_unknown"]),
        (ROUTE, replace(TRIP, failures=5, rtt_ms=None), ["network.unreachable"]),
        (ROUTE, replace(TRIP, failures=1), ["network.lossy"]),
        (ROUTE, replace(TRIP, rtt_ms=401.0), ["network.slow"]),
        (ROUTE, replace(TRIP, path_mtu=1420), ["network.mtu_small"]),
    ],
)
def test_the_way_to_the_centre_is_judged_step_by_step(route, trip, found):
    assert ids(network.judge(route, trip)) == found


def test_a_mobile_network_that_works_is_fine_all_the_same():
    works = ["network.trip", "network.fine"]
    assert fine(network.judge(RouteFacts("wwan0", None), TRIP)) == works
    assert fine(network.judge(ROUTE, replace(TRIP, failures=1))) == ["network.trip"]
    assert fine(network.judge(ROUTE, None)) == ["network.fine"]


# -- broker and centre ------------------------------------------------------------------------

SHAKEN = Handshake(NOW + timedelta(days=90))
BROKER = BrokerFacts(
    host="centre.example.org",
    port=8883,
    wants_tls=True,
    is_local=False,
    connects=True,
    handshake=SHAKEN,
    logged_in=True,
)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (BROKER, []),
        (replace(BROKER, connects=False, logged_in=None), ["broker.unreachable"]),
        (replace(BROKER, logged_in=False, is_refused=True), ["broker.refused"]),
        (replace(BROKER, logged_in=False), ["broker.silent"]),
        (replace(BROKER, refused_topics=("a", "b")), ["broker.topic_refused"] * 2),
        (replace(BROKER, waiting=100), ["broker.backlog"]),
        (replace(BROKER, waiting=99), []),
        (replace(BROKER, wants_tls=False, handshake=None), ["tls.none"]),
        (replace(BROKER, wants_tls=False, handshake=None, is_local=True), []),
        (replace(BROKER, handshake=Handshake(NOW + timedelta(days=20))), ["tls.expires_soon"]),
        (
            replace(BROKER, handshake=Handshake(None, Distrust.EXPIRED), logged_in=None),
            ["tls.expired"],
        ),
    ],
)
def test_the_broker_is_judged_step_by_step(facts, found):
    assert ids(broker.judge(facts, NOW)) == found


@pytest.mark.parametrize("distrust", Distrust)
def test_every_reason_for_distrust_has_a_finding_and_nothing_is_said_beyond_it(distrust):
    facts = replace(CENTRE, handshake=Handshake(None, distrust), answer=Answer.NOTHING)
    assert ids(centre.judge(facts, NOW)) == [f"tls.{distrust}"]


CENTRE = CentreFacts(
    host="centre.example.org",
    port=443,
    wants_tls=True,
    is_local=False,
    handshake=SHAKEN,
    answer=Answer.WORKS,
    clock_offset_s=0.2,
    is_admitted=True,
)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (CENTRE, []),
        (replace(CENTRE, answer=Answer.NOTHING, is_admitted=None), ["centre.unreachable"]),
        (replace(CENTRE, answer=Answer.OTHER, is_admitted=None), ["centre.other"]),
        (replace(CENTRE, answer=Answer.DEGRADED), ["centre.degraded"]),
        (replace(CENTRE, is_admitted=False), ["centre.token_refused"]),
        (replace(CENTRE, is_admitted=None), []),
        (replace(CENTRE, clock_offset_s=-90.0), ["clock.wrong"]),
        (replace(CENTRE, clock_offset_s=None), []),
        (replace(CENTRE, wants_tls=False, handshake=None), ["tls.none"]),
    ],
)
def test_the_centre_is_judged_step_by_step(facts, found):
    assert ids(centre.judge(facts, NOW)) == found


# -- model ------------------------------------------------------------------------------------

MODEL = ModelFacts("person", "auto", "best", is_fallback=False, altered=(), reason="the best")


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (MODEL, []),
        (replace(MODEL, is_fallback=True), ["model.fallback"]),
        (replace(MODEL, name=None), ["model.missing"]),
        (replace(MODEL, name=None, altered=("best.onnx",)), ["model.altered"]),
        (
            replace(MODEL, is_fallback=True, altered=("best.onnx",)),
            ["model.altered", "model.fallback"],
        ),
    ],
)
def test_a_model_is_judged_by_what_the_detector_would_take(facts, found):
    assert ids(model.judge([facts], (), "")) == found


def test_manifests_and_runtimes_that_can_not_be_used_are_told():
    found = ids(model.judge([MODEL], ("models.toml: bad",), "openvino"))
    assert found == ["model.manifest_refused", "model.runtime_missing"]


# -- box --------------------------------------------------------------------------------------

UNIT = box.UnitFacts("active", is_enabled=True, restarts=0, result="success", exit_status="0")
WELL = (box.PartFacts("storage", "ok", ""),)
PROGRAM = box.ProgramFacts(version="1", lock_pid=42, parts=WELL, unit=UNIT)


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (PROGRAM, []),
        (replace(PROGRAM, parts=None), ["box.silent"]),
        (replace(PROGRAM, parts=None, lock_pid=None), ["box.stopped"]),
        (replace(PROGRAM, parts=None, lock_pid=None, unit=None), ["box.stopped"]),
        (
            replace(
                PROGRAM,
                parts=(
                    box.PartFacts("bus", "degraded", "refused"),
                    box.PartFacts("storage", "down", "no disk"),
                ),
            ),
            ["box.part_degraded", "box.part_down"],
        ),
        (replace(PROGRAM, unit=replace(UNIT, is_enabled=False)), ["box.not_at_boot"]),
        (replace(PROGRAM, unit=replace(UNIT, restarts=4)), ["box.restarts"]),
        (replace(PROGRAM, unit=replace(UNIT, restarts=3)), []),
    ],
)
def test_the_program_is_judged_by_its_own_word_its_lock_and_systemds(facts, found):
    assert ids(box.judge_program(facts)) == found


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        (box.MachineFacts(4 * GB, 3 * GB, 55.0), []),
        (box.MachineFacts(4 * GB, GB // 4, None), ["box.memory_short"]),
        (box.MachineFacts(None, None, 80.0), ["box.hot"]),
        (box.MachineFacts(None, None, None), []),
    ],
)
def test_the_machine_is_judged_by_what_it_tells(facts, found):
    assert ids(box.judge_machine(facts)) == found


def test_what_was_changed_while_the_box_ran_is_said_and_what_of_it_is_not_used():
    def said(*facts):
        return [each.kind.id for each in box.judge_settings(box.SettingsFacts(*facts))]

    assert said(0, "", None, None) == []
    assert said(3, "李秀英", None, None) == ["box.settings_changed"]
    assert said(4, "box", None, "version 3 was undone") == ["box.settings_undone"]
    assert said(0, "", "version 1 is damaged", None) == ["box.settings_unused"]


def test_a_configuration_and_its_secrets_are_judged_apart():
    assert ids(box.judge_config("'box.id': …", ())) == ["box.config_invalid"]
    assert ids(box.judge_config(None, ("'centre.token': …",))) == ["box.secret_unreadable"]
