"""The settings' folder: what is kept, what is thrown away, what is damaged."""

import os
import stat
from hashlib import sha256

import pytest
from pydantic import SecretStr

from edge.errors import ConfigError, StorageError
from edge.settings.store import KEPT, Standing
from edge.settings.version import Version, decoded, encoded
from tests.support.settings import Paper, camera


@pytest.fixture
def paper(tmp_path):
    return Paper(tmp_path)


def save(paper, camera_id, name="老街", password=None):
    secret = None if password is None else SecretStr(password)
    login = {} if password is None else {"username": "viewer"}
    paper.desk.save(camera(camera_id, name, **login), secret, actor="李秀英", reason="新装")


def spoil(paper, number):
    path = paper.store.folder / f"{number:08}.json"
    path.write_bytes(path.read_bytes().replace("老街".encode(), "新街".encode()))


def test_reading_makes_no_folder(paper):
    assert paper.names() == {"gate": "村口"}
    paper.probation.begin()
    paper.probation.leave()
    assert (paper.desk.version(), paper.store.folder.exists()) == (0, False)


def test_who_changed_what_when_and_why_is_kept(paper):
    save(paper, "road")
    version = paper.store.read().newest
    assert (version.number, version.actor, version.reason) == (1, "李秀英", "新装")
    assert version.at is not None
    assert decoded(encoded(version)) == version


def test_a_damaged_version_is_passed_over_for_the_one_before_and_its_number_is_not_given_again(
    paper,
):
    save(paper, "road")
    save(paper, "pond")
    spoil(paper, 2)
    assert set(paper.names()) == {"gate", "road"}
    said = paper.desk.now().trouble
    assert said == "version 2 is damaged: its checksum does not match; version 1 counts"
    save(paper, "mill")
    assert paper.desk.version() == 3
    assert set(paper.names()) == {"gate", "road", "mill"}
    assert paper.desk.now().trouble is None


def test_where_all_are_damaged_the_file_alone_counts(paper):
    save(paper, "road")
    spoil(paper, 1)
    assert paper.names() == {"gate": "村口"}
    assert "the configuration file alone counts" in str(paper.desk.now().trouble)


def test_a_file_that_is_named_as_another_version_is_damaged(paper):
    save(paper, "road")
    folder = paper.store.folder
    (folder / "00000002.json").write_bytes((folder / "00000001.json").read_bytes())
    assert paper.store.read().damaged == {2: "is damaged: it says that it is number 1"}


def test_a_version_that_a_newer_program_wrote_is_not_guessed_at():
    line = encoded(Version(number=1)).splitlines()[0].replace(b'"layer"', b'"layers"')
    checksum = sha256(line).hexdigest().encode()
    with pytest.raises(ConfigError, match="layers"):
        decoded(line + b"\n" + checksum + b"\n")


def test_only_the_newest_are_kept_and_what_has_proved_itself(paper):
    save(paper, "road", password="first")
    paper.probation.accept(paper.store.read().newest)
    for number in range(KEPT + 5):
        save(paper, "pond", f"名{number}", password=f"word-{number}")
    numbers = [version.number for version in paper.store.read().versions]
    assert numbers == [*range(KEPT + 6, 6, -1), 1, 0]
    secrets = {path.name for path in (paper.store.folder / "secrets").iterdir()}
    assert secrets == {"road-1", *(f"pond-{number}" for number in range(7, KEPT + 7))}


def test_no_password_goes_while_it_is_not_known_what_a_damaged_version_names(paper):
    save(paper, "road", password="first")
    spoil(paper, 1)
    save(paper, "pond")
    assert (paper.store.folder / "secrets/road-1").exists()


def test_everything_is_the_boxs_alone(paper):
    save(paper, "road", password="word")
    modes = {
        stat.S_IMODE(path.stat().st_mode)
        for path in [paper.store.folder, *paper.store.folder.rglob("*")]
    }
    assert modes == {0o700, 0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be root")
def test_what_root_writes_belongs_to_whom_the_data_folder_belongs(paper):
    os.chown(paper.file.config.box.data_dir, 12345, 12345)
    save(paper, "road", password="word")
    paper.probation.begin()
    made = [paper.store.folder, *paper.store.folder.rglob("*")]
    assert {path.stat().st_uid for path in made} == {12345}


def test_what_proved_itself_is_not_known_any_more_it_is_the_newest_sound_one(paper):
    save(paper, "road")
    (paper.store.folder / "standing.json").write_bytes(b"{")
    assert paper.store.standing() == Standing(accepted=1)


def test_a_disk_that_refuses_is_said_and_nothing_has_changed(paper, monkeypatch):
    save(paper, "road")

    def refuse(_descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(StorageError, match="No space left"):
            save(paper, "pond")
    assert set(paper.names()) == {"gate", "road"}
    assert paper.desk.version() == 1


def test_a_folder_that_can_not_be_read_keeps_no_box_from_starting(paper):
    paper.store.folder.write_text("not a folder")
    found = paper.probation.begin()
    assert [each.id for each in found.config.cameras] == ["gate"]
    assert "Not a directory" in str(found.trouble)
