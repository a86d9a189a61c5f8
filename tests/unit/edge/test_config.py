import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.alarm.camera_clock import CLOCK_RULE
from edge.alarm.picture import PICTURE_RULE
from edge.alarm.watch import DETECTOR_RULE, LOST_RULE
from edge.box_alert import OUTBOX_RULE, STORAGE_RULE
from edge.config import EdgeConfig, Secret, load
from edge.errors import ConfigError
from edge.rule_config import OWN_RULES
from protocol.messages import AlertLevel

BOX = """
[box]
id = "box-01"
name = "青石村"
region_code = "533102105203"
data_dir = "data"
"""

CAMERA = """
[[cameras]]
id = "cam-01"
name = "村口主路"
grid_code = "533102105203001"
main_url = "rtsp://192.0.2.10/main"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "edge.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(write(folder, text))
    return str(caught.value)


def test_a_box_alone_is_a_whole_configuration(tmp_path: Path) -> None:
    config = load(write(tmp_path, BOX))
    assert (config.box.id, config.cameras, config.centre) == ("box-01", (), None)


def test_relative_paths_are_below_the_files_own_folder(tmp_path: Path) -> None:
    secret = (
        CAMERA + 'username = "viewer"\npassword = { file = "secrets/cam-01" }\n'
        '[centre]\nmqtt_host = "127.0.0.1"\nhttp_url = "http://127.0.0.1:8600"\n'
        'token = { file = "secrets/token" }\nmqtt_ca_file = "secrets/ca.pem"\n'
        '[detect]\nmodel_dirs = ["weights"]\n'
    )
    config = load(write(tmp_path, BOX + secret))
    password = config.cameras[0].password
    assert password is not None
    assert config.centre is not None
    assert (
        config.box.data_dir,
        password.file,
        config.centre.token.file,
        config.centre.mqtt_ca_file,
        config.detect.model_dirs,
    ) == (
        tmp_path / "data",
        tmp_path / "secrets/cam-01",
        tmp_path / "secrets/token",
        tmp_path / "secrets/ca.pem",
        (tmp_path / "weights",),
    )


CORNERS = ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))


def ground(*metres: tuple[object, object]) -> str:
    points = (
        f"{{ image = [{u}, {v}], metres = [{x}, {y}] }}"
        for (u, v), (x, y) in zip(CORNERS, metres, strict=True)
    )
    return f"ground = [{', '.join(points)}]\n"


def test_four_ground_points_that_fix_a_plane_are_taken(tmp_path: Path) -> None:
    square = CAMERA + ground((1, 1), (3, 1), (3, 3), (1, 3))
    assert len(load(write(tmp_path, BOX + square)).cameras[0].ground) == 4


RULE = '[[cameras.rules]]\nid = "g"\n'
REFUSALS = [
    ('time_zone = "Asia/Nowhere"\n', "'box.time_zone': must be a time zone's name"),
    # a key we do not know may be a misspelt one we do
    ("\n[recording]\nretention_day = 30\n", "'recording.retention_day': Extra inputs"),
    # a threshold out of range names the key, the rule and the value
    (
        "\n[recording]\nretention_days = 29\n",
        "'recording.retention_days': Input should be greater than or equal to 30, not 29",
    ),
    # fewer days than the law wants
    (
        CAMERA + "retention_days = 29\n",
        "(Regulation 799, article 17), not 29; only 'legal_basis' art9 or non_public may have",
    ),
    (
        CAMERA + 'retention_days = 7\nlegal_basis = "art9"\nretention_reason = " "\n',
        "'retention_reason' must say why 'retention_days' is 7, less than 30",
    ),
    (CAMERA + 'legal_basis = "art8"\n', "'cameras.0.legal_basis'"),
    (CAMERA.replace("rtsp://", "http://"), "'cameras.0.main_url': must be a URL of scheme rtsp"),
    (
        CAMERA.replace('id = "cam-01"', 'id = "box"'),
        "'cameras.0.id': must be an id that the box does not use itself (box), not 'box'",
    ),
    *(
        (
            f'{CAMERA}[[cameras.rules]]\nid = "{rule}"\n',
            "'cameras.0.rules.0.id': must be an id that the box does not use itself",
        )
        for rule in ("camera-lost", "detector-down", "storage")
    ),
    (CAMERA + CAMERA, "'(the file)': 'cameras' must have different ids"),
    (CAMERA + 'username = "u"\n', "'username' and 'password' go together"),
    (CAMERA + "record_sub = true\n", "'record_sub' needs a 'sub_url'"),
    (CAMERA + "ground = [{ image = [0.1, 0.1], metres = [1, 1] }]\n", "'ground' must have four"),
    (
        CAMERA + ground((1, 1), (3, 1), (3, 3), (1, 3)).replace("[0.9, 0.1]", "[0.5, 0.5]"),
        "'ground' must be four points of which no three are on one line",
    ),
    (CAMERA + ground((1, 1), (3, 3), (3, 1), (1, 3)), "'ground' must not reach across"),
    (CAMERA + ground(("inf", 1), (3, 1), (3, 3), (1, 3)), "'cameras.0.ground.0.metres.0'"),
    ("\n[recording]\nquota_gb = inf\n", "'recording.quota_gb': Input should be a finite"),
    (
        CAMERA + '[[cameras.rules]]\nid = "g"\nlevels = { ordinary = 9, urgent = 9 }\n',
        "'levels' must be given and grow",
    ),
    (CAMERA + '[[cameras.rules]]\nid = "g"\nlevels = {}\n', "'levels' must be given"),
    (
        CAMERA + '[[cameras.rules]]\nid = "g"\nregions = [{ id = "a" }, { id = "a" }]\n',
        "'regions' must have different ids",
    ),
    (
        CAMERA + '[[cameras.rules]]\nid = "g"\n[[cameras.rules]]\nid = "g"\n',
        "'rules' must have different ids",
    ),
    (
        CAMERA + '[[cameras.rules]]\nid = "g"\nregions = [{ polygon = [[0, 0], [1, 1]] }]\n',
        "regions.0.polygon",
    ),
    (CAMERA + RULE + 'kind = "flood"\n', "'cameras.0.rules.0': 'kind' must be gathering or fire"),
    (
        CAMERA + RULE + 'kind = "fire"\nhold_s = 3\n',
        "'cameras.0.rules.0.hold_s': Input should be greater than or equal to 10, not 3",
    ),
    (CAMERA + RULE + 'kind = "fire"\nlevels = {}\n', "'cameras.0.rules.0.levels'"),
    (
        CAMERA + RULE + '[[cameras.rules]]\nkind = "fire"\nid = "g"\n',
        "'rules' must have different ids",
    ),
    (CAMERA + RULE + 'sensitivity = "5"\n', "'cameras.0.rules.0.sensitivity'"),
    (CAMERA + RULE + "schedule = {}\n", "'schedule' must have a period"),
    (
        CAMERA + RULE + 'schedule = { monday = ["8-12"] }\n',
        "'cameras.0.rules.0.schedule.monday': must be written as 08:00-12:00",
    ),
    (
        CAMERA + RULE + 'schedule = { monday = ["08:00-12:00", "11:00-13:00"] }\n',
        "periods of a day must not overlap",
    ),
    (
        CAMERA + RULE + f"schedule = {{ monday = {[f'{h:02}:00-{h:02}:30' for h in range(9)]} }}\n",
        "'cameras.0.rules.0.schedule.monday': Tuple should have at most 8 items",
    ),
    (CAMERA + RULE + 'schedule = { montag = ["08:00-12:00"] }\n', "schedule.montag': Extra"),
    ("holidays = [2027-02-06, 2027-02-06]\n", "'holidays' must be different days"),
    ('holidays = ["2027-02-30"]\n', "'box.holidays.0'"),
]


@pytest.mark.parametrize(("addition", "message"), REFUSALS)
def test_a_broken_rule_is_named_with_its_key(tmp_path: Path, addition: str, message: str) -> None:
    assert message in refusal(tmp_path, BOX + addition)


@pytest.mark.parametrize(
    "address",
    [
        "rtsp://admin:hunter2@192.0.2.10/main",
        "rtsp://admin:hun#hunter2@192.0.2.10/main",
        "rtsp://admin:hun/hunter2@192.0.2.10/main",
        "rtsp://admin:[hunter2@192.0.2.10/main",
        "http://admin:hunter2@192.0.2.10/main",
        "admin:hunter2@192.0.2.10:554/main",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(tmp_path: Path, address: str) -> None:
    text = refusal(tmp_path, BOX + CAMERA.replace("rtsp://192.0.2.10/main", address))
    assert "'cameras.0.main_url': must not hold a user or password" in text
    assert "password = { file = … }" in text
    assert "hunter2" not in text


def test_the_rules_that_the_box_has_itself_are_all_kept_for_it() -> None:
    own = {CLOCK_RULE, LOST_RULE, DETECTOR_RULE, STORAGE_RULE, OUTBOX_RULE, PICTURE_RULE}
    assert own == OWN_RULES


def test_a_secret_written_into_the_file_is_refused_and_not_repeated(tmp_path: Path) -> None:
    addition = (
        CAMERA + 'username = "u"\npassword = "hunter2"\n'
        '[centre]\nmqtt_host = "h"\nhttp_url = "http://h"\ntoken = "hunter2"\n'
    )
    path = write(tmp_path, BOX + addition)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert "'cameras.0.password'" in str(caught.value)
    assert "'centre.token'" in str(caught.value)
    # and no traceback of it would tell either
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_a_camera_that_the_law_leaves_free_may_be_kept_for_less_with_a_reason(
    tmp_path: Path,
) -> None:
    free = 'retention_days = 7\nlegal_basis = "art9"\nretention_reason = "村委会会议纪要 3 号"\n'
    longer = "retention_days = 90\n"
    config = load(
        write(tmp_path, BOX + CAMERA + free + CAMERA.replace("cam-01", "cam-02") + longer)
    )
    assert [camera.retention_days for camera in config.cameras] == [7, 90]


def test_a_missing_file_and_a_file_that_is_not_toml_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.toml")
    assert "not TOML" in refusal(tmp_path, "[box")


def test_a_secret_is_read_from_its_file_or_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.write_text("s3cret\nsecond line\n", encoding="utf-8")
    monkeypatch.setenv("TANSHAO_TEST_TOKEN", "other")
    assert Secret(file=path).read().get_secret_value() == "s3cret"
    assert Secret(env="TANSHAO_TEST_TOKEN").read().get_secret_value() == "other"


def test_a_secret_that_is_missing_or_empty_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for secret in (
        Secret(file=tmp_path / "binary"),
        Secret(file=tmp_path / "none"),
        Secret(file=tmp_path / "empty"),
        Secret(env="TANSHAO_TEST_NOT_SET"),
    ):
        with pytest.raises(ConfigError, match="secret"):
            secret.read()


def test_a_secret_names_exactly_one_place(tmp_path: Path) -> None:
    addition = CAMERA + 'username = "u"\npassword = { file = "a", env = "B" }\n'
    assert "exactly one of 'file' and 'env'" in refusal(tmp_path, BOX + addition)


def test_defaults_are_the_ones_the_handbook_promises() -> None:
    config = EdgeConfig.model_validate(
        {
            "box": {"id": "box-01", "name": "村", "region_code": "533102105203", "data_dir": "d"},
            "cameras": [
                {
                    "id": "c",
                    "name": "n",
                    "grid_code": "533102105203001",
                    "main_url": "rtsp://192.0.2.1/a",
                    "rules": [{"id": "g"}],
                }
            ],
        }
    )
    rule = config.cameras[0].rules[0]
    assert config.recording.retention_days == 30
    assert rule.levels == {
        AlertLevel.ORDINARY: 15,
        AlertLevel.URGENT: 30,
        AlertLevel.EXTRA_URGENT: 60,
    }
    assert (rule.hold_s, rule.clear_s, rule.repeat_s) == (60, 120, 600)
    assert (rule.sensitivity, rule.schedule) == ("normal", None)


def test_a_cameras_rules_are_of_two_kinds(tmp_path: Path) -> None:
    fire = '[[cameras.rules]]\nkind = "fire"\nid = "f"\nstrategy = "both"\n'
    camera = load(write(tmp_path, BOX + CAMERA + RULE + fire)).cameras[0]
    assert [rule.id for rule in camera.rules] == ["g", "f"]
    assert [rule.id for rule in camera.gatherings] == ["g"]
    assert [(rule.id, rule.strategy.value) for rule in camera.fires] == [("f", "both")]


def test_a_schedule_is_on_the_boxs_days_and_holidays(tmp_path: Path) -> None:
    box = BOX + "holidays = [2026-11-23]\n"
    rule = RULE + 'schedule = { monday = ["08:00-12:00"], holiday = ["20:00-24:00"] }\n'
    config = load(write(tmp_path, box + CAMERA + rule))
    section = config.cameras[0].rules[0].schedule
    assert section is not None
    schedule = section.on(config.box.calendar())
    on = [datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (0, 2, 12, 13)]
    assert [schedule.is_on(at) for at in on] == [False, False, True, True]
    assert schedule.is_on(datetime(2026, 11, 30, 0, tzinfo=UTC))
