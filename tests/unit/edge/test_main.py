import subprocess
import sys
import tomllib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.__main__ import main
from edge.commands.masks import RuleMask, put_mask
from edge.db.database import Database
from tests.support.tools import ROOT

TEXT = """
[box]
id = "box-01"
name = "青石村"
region_code = "533102105203"
data_dir = "data"
[centre]
mqtt_host = "127.0.0.1"
http_url = "http://127.0.0.1:8600"
token = { file = "token" }
[[cameras]]
id = "cam-01"
name = "村口主路"
grid_code = "533102105203001"
main_url = "rtsp://192.0.2.10/main"
username = "viewer"
password = { env = "TANSHAO_TEST_PASSWORD" }
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TANSHAO_TEST_PASSWORD", "hunter2")
    (tmp_path / "token").write_text("s3cret-token\n", encoding="utf-8")
    path = tmp_path / "edge.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def checked(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = main(["check-config", "--config", str(path)])
    said = capsys.readouterr()
    return status, said.out + said.err


def test_a_configuration_whose_secrets_are_there_is_valid(path, capsys):
    status, said = checked(path, capsys)
    assert status == 0
    assert "valid; box box-01, 1 cameras" in said
    assert "hunter2" not in said
    assert "s3cret-token" not in said


def test_what_was_masked_from_afar_is_shown_as_the_configuration_would_have_it(path, capsys):
    arguments = ["config", "masks", "--config", str(path)]
    assert main(arguments) == 0
    assert capsys.readouterr().out == ""
    (path.parent / "data").mkdir()
    with closing(Database(path.parent / "data" / "box.db")) as database:
        shape = ((0.0, 0.0), (0.5, 0.0), (0.5, 0.25))
        since = datetime(2026, 11, 22, 6, tzinfo=UTC)
        mask = RuleMask("cam-01", "crowd", (shape,), since, "李秀英 (admin)", "灶台冒烟")
        with database.transaction() as connection:
            put_mask(connection, mask)
        assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].startswith("# cam-01/crowd (no such rule here): 李秀英 (admin), ")
    assert tomllib.loads(shown) == {"exclude": [[[0.0, 0.0], [0.5, 0.0], [0.5, 0.25]]]}


def test_every_secret_that_can_not_be_read_is_named(path, capsys, monkeypatch):
    monkeypatch.setenv("TANSHAO_TEST_PASSWORD", "")
    (path.parent / "token").unlink()
    status, said = checked(path, capsys)
    assert status == 1
    assert "'centre.token': secret file" in said
    assert "'cameras.0.password': secret TANSHAO_TEST_PASSWORD: empty or not set" in said
    assert "valid" not in said


def test_ground_points_that_fix_no_plane_are_refused(path, capsys):
    ground = ", ".join(f"{{ image = [0.{n}, 0.{n}], metres = [{n}, {n}] }}" for n in range(1, 5))
    path.write_text(f"{TEXT}ground = [{ground}]\n", encoding="utf-8")
    status, said = checked(path, capsys)
    assert status == 1
    assert "'cameras.0': 'ground' must be four points of which no three are on one line" in said


def test_the_command_line_is_there_before_numpy_is():
    """NumPy starts its threads where it is imported, and how many is said before."""
    code = "import sys, edge.__main__; print('numpy' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert shown.stdout == "False\n"


def test_the_box_is_imported_without_numpy_opencv_and_ffmpeg():
    says = "import sys, edge.app; print(*{'numpy', 'cv2', 'av'} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", says], cwd=ROOT, capture_output=True, check=True)
    assert told.stdout.split() == []


def test_a_box_without_a_centre_imports_nothing_that_talks_to_one():
    talk = "{'httpx', 'paho', 'edge.bus.sender', 'websockets.asyncio.client'}"
    says = f"import sys, edge.app, edge.station; print(*{talk} & set(sys.modules))"
    told = subprocess.run([sys.executable, "-c", says], cwd=ROOT, capture_output=True, check=True)
    assert told.stdout.split() == []


def test_a_box_with_a_centre_has_all_of_it_before_it_is_forked(path):
    says = (
        "import sys, pathlib; from edge import app, config;"
        "app.import_late_parts(config.load(pathlib.Path(sys.argv[1])));"
        "print(*sorted({'httpx', 'paho', 'edge.bus.sender', 'edge.uplink.client'}"
        " & set(sys.modules)))"
    )
    line = [sys.executable, "-c", says, str(path)]
    told = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["edge.bus.sender", "edge.uplink.client", "httpx", "paho"]
