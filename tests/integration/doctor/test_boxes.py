"""The doctor on the box itself: running and not, its disks, its models, its configuration."""

import socket
import subprocess

import pytest

from edge.__main__ import main
from tests.support import own_models
from tests.support.doctor import PASSWORD, TOKEN, box_file, camera_table, examined
from tests.support.edge_process import EdgeProcess

OFF = "[detect]\nenabled = false"


def a_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_of_a_box_that_runs_it_takes_the_boxs_own_word_and_leaves_it_running(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        cameras = camera_table(f"rtsp://127.0.0.1:{silent.getsockname()[1]}/main")
    rest = f"{OFF}\n[http]\nport = {a_free_port()}"
    path = box_file(tmp_path, cameras=cameras, rest=rest)
    stopped = examined(path, capsys)
    with EdgeProcess(path) as box:
        running = examined(path, capsys)
        assert box.get("/v1/health")["condition"] != "ok"  # of its camera, and it is there

    assert "box.stopped" in stopped.ids()
    assert not {"box.stopped", "box.silent"} & running.ids()
    assert running.ids("gate") == {"camera.port_closed"}
    assert running.ids("camera.gate") == {"box.part_down"}


def test_a_box_that_holds_its_folder_and_does_not_answer_is_said_to_hang(tmp_path, capsys):
    path = box_file(tmp_path, rest=f"{OFF}\n[http]\nport = 0")
    with EdgeProcess(path):
        found = examined(path, capsys)  # port 0 is where nobody answers
    assert "box.silent" in found.ids()
    assert "box.stopped" not in found.ids()


def test_a_full_disk_and_one_without_room_for_names_are_told_apart(tmp_path, capsys):
    disk = tmp_path / "disk"
    disk.mkdir()
    size = "size=4m,nr_inodes=40"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("a tmpfs can't be mounted here")
    path = box_file(tmp_path, rest=f'{OFF}\n[recording]\nfolder = "disk"')
    try:
        fine = examined(path, capsys)
        (disk / "filler").write_bytes(b"x" * 4 * 1024 * 1024)
        full = examined(path, capsys, "--write")
        (disk / "filler").unlink()
        for number in range(38):
            (disk / str(number)).touch()
        crowded = examined(path, capsys)
    finally:
        subprocess.run(["umount", disk], check=True)

    assert fine.ids(str(disk)) == set()
    assert full.ids(str(disk)) == {"disk.full", "disk.write_failed"}
    assert full.status == 2
    assert crowded.ids(str(disk)) == {"disk.inodes_short"}


def test_a_disk_that_is_not_mounted_is_missing_and_no_other_is_written_to(tmp_path, capsys):
    path = box_file(tmp_path, rest=f'{OFF}\n[recording]\nfolder = "disk"')
    found = examined(path, capsys, "--write")
    assert found.ids(str(tmp_path / "disk")) == {"disk.missing"}
    assert not [each for each in found.document["findings"] if "mb_s" in each["values"]]


def test_a_test_file_is_written_only_where_asked_for_and_never_left(tmp_path, capsys):
    path = box_file(tmp_path, rest=f'{OFF}\n[recording]\nfolder = "disk"')
    disk = tmp_path / "disk"
    disk.mkdir()
    unasked = examined(path, capsys)
    asked = examined(path, capsys, "--write")

    assert not {"disk.speed", "disk.slow"} & {each["id"] for each in unasked.document["findings"]}
    assert {"disk.speed", "disk.slow"} & {each["id"] for each in asked.document["findings"]}
    assert list(disk.iterdir()) == []


def test_a_model_file_that_somebody_changed_is_told_from_one_that_is_not_there(tmp_path, capsys):
    weights = b"the village's own weights"
    folder = tmp_path / "mine"
    folder.mkdir()
    own_models.put(folder, "my-yolo", weights, own_models.entry_text("my-yolo", weights))
    rest = '[detect]\nmodel = "my-yolo"\nmodel_dirs = ["mine"]'
    path = box_file(tmp_path, rest=rest)

    def ids() -> set[str]:
        found = examined(path, capsys).document["findings"]
        return {each["id"] for each in found if each["values"].get("wanted") == "my-yolo"}

    whole = ids()
    (folder / "my-yolo.onnx").write_bytes(weights.swapcase())
    altered = ids()
    (folder / "my-yolo.onnx").unlink()
    missing = ids()

    assert (whole, altered, missing) == ({"model.fine"}, {"model.altered"}, {"model.missing"})


def test_what_is_wrong_with_the_configuration_is_said_by_its_key_and_never_by_a_secret(
    tmp_path, capsys
):
    cameras = camera_table("rtsp://127.0.0.1/main").replace(
        'password = { file = "password" }', f'passwort = "{PASSWORD}"'
    )
    found = examined(box_file(tmp_path, cameras=cameras, rest=OFF), capsys)

    assert found.status == 2
    assert "passwort" in found.one("box.config_invalid")["seen"]
    assert {each["id"].partition(".")[0] for each in found.document["findings"]} <= {
        *("box", "clock", "network"),
    }


def test_a_secret_that_can_not_be_read_is_named_and_all_else_is_looked_at(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as camera:
        url = f"rtsp://127.0.0.1:{camera.getsockname()[1]}/main"
        path = box_file(tmp_path, cameras=camera_table(url), rest=OFF)
        (tmp_path / "password").unlink()
        found = examined(path, capsys)
    assert "cameras.0.password" in found.one("box.secret_unreadable")["seen"]
    assert found.ids("gate") == {"camera.password_unreadable"}


def test_the_report_for_people_is_in_either_language_and_tells_no_secret(tmp_path, capsys):
    path = box_file(tmp_path, cameras=camera_table("rtsp://127.0.0.1:1/main"), rest=OFF)
    said = []
    for options in ([], ["--lang", "en"]):
        assert main(["doctor", "--config", str(path), *options]) == 2
        said.append(capsys.readouterr().out)
    chinese, english = said

    assert "✕ 故障 gate 村口主路:127.0.0.1 通,但 1 端口没有开 [camera.port_closed]" in chinese
    assert "✕ FAIL gate 村口主路: 127.0.0.1 answers, and its port 1 is closed" in english
    assert not any(secret in text for secret in (PASSWORD, TOKEN) for text in said)


def test_a_camera_that_is_not_configured_is_wrong_use(tmp_path, capsys):
    path = box_file(tmp_path, cameras=camera_table("rtsp://127.0.0.1:1/main"), rest=OFF)
    assert main(["doctor", "--config", str(path), "--camera", "barn"]) == 2
    assert "barn" in capsys.readouterr().err


def test_it_changes_nothing_in_the_boxs_folder(tmp_path, capsys):
    path = box_file(tmp_path, cameras=camera_table("rtsp://127.0.0.1:1/main"), rest=OFF)
    before = {each: each.read_bytes() for each in tmp_path.iterdir()}
    examined(path, capsys)
    assert {each: each.read_bytes() for each in tmp_path.iterdir()} == before
