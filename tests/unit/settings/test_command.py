"""What was changed is shown and undone at the command line."""

import tomllib

import pytest
from pydantic import SecretStr

from edge.__main__ import main
from tests.support.settings import Paper, camera

WHO = {"actor": "李秀英", "reason": "新装"}


@pytest.fixture
def paper(tmp_path):
    paper = Paper(tmp_path)
    paper.desk.save(camera("road", username="viewer"), SecretStr("s3cret-word"), **WHO)
    paper.desk.remove("gate", actor="王", reason="拆了")
    paper.desk.change(lambda layer: layer.with_sections({"detect": {"fps": 4}}), **WHO)
    return paper


@pytest.fixture
def told(paper, capsys):
    def told(*arguments: str) -> tuple[int, str]:
        status = main([*arguments, "--config", str(paper.path)])
        said = capsys.readouterr()
        return status, said.out + said.err

    return told


def test_what_counts_is_shown_as_a_file_and_no_secret_with_it(paper, told):
    status, shown = told("config", "show")
    document = tomllib.loads(shown)
    assert status == 0
    assert [each["id"] for each in document["cameras"]] == ["road"]
    assert document["detect"] == {"fps": 4}
    assert "s3cret-word" not in shown
    paper.path.write_text(shown, encoding="utf-8")
    assert told("config", "drop-layer", "--yes")[0] == 0
    assert [each.id for each in paper.file.again().config.cameras] == ["road"]


def test_only_what_was_changed_is_shown(told):
    status, shown = told("config", "show", "--layer")
    assert status == 0
    assert shown.startswith("# 3  ")
    assert "# gate: 已停用" in shown
    assert set(tomllib.loads(shown)) == {"detect", "cameras"}


def test_it_is_told_who_changed_what_and_which_of_it_holds(paper, told):
    paper.probation.accept(paper.store.read().versions[1])
    (paper.store.folder / "00000001.json").write_bytes(b"")
    paper.probation.begin()
    lines = told("config", "show", "--history")[1].splitlines()
    assert lines[0] == "1  已损坏 · is damaged: its checksum does not match"
    assert lines[1].startswith("3  ")
    assert lines[1].endswith("李秀英: 新装  (试运行 · tried)")
    assert lines[2].endswith("王: 拆了  (已生效 · holds)")


def test_all_of_it_is_undone_after_a_yes_and_not_before(paper, told):
    status, said = told("config", "drop-layer")
    assert (status, paper.desk.version()) == (1, 3)
    assert "没有取消" in said
    assert told("config", "drop-layer", "--yes")[0] == 0
    assert paper.names() == {"gate": "村口"}
    assert told("config", "drop-layer")[0] == 0  # there is nothing to undo
    assert "没有改动" in told("config", "show", "--layer")[1]


def test_where_nothing_was_changed_that_is_said(tmp_path, capsys):
    path = Paper(tmp_path).path
    assert main(["config", "show", "--history", "--config", str(path)]) == 0
    assert "没有改动" in capsys.readouterr().out
    assert not (tmp_path / "data/settings").exists()


def test_other_commands_go_by_what_counts(paper, told):
    status, said = told("check-config")
    assert status == 0
    assert "(with version 3 of the settings): valid; box box-01, 1 cameras" in said
    assert "road" in told("cameras", "list")[1]
    template = tomllib.loads(told("config", "export", "--template")[1])
    assert [each["id"] for each in template["cameras"]] == ["road"]
    assert "s3cret" not in str(template)


def test_a_change_that_is_not_used_is_no_valid_configuration(paper, told):
    (paper.store.folder / "00000003.json").write_bytes(b"")
    status, said = told("check-config")
    assert status == 1
    assert "version 3 is damaged: its checksum does not match; version 2 counts" in said
    assert "# ! version 3 is damaged" in told("config", "show")[1]


def test_the_doctor_says_what_of_it_is_not_used(paper, told):
    paper.desk.remove("road", **WHO)
    (paper.store.folder / "00000003.json").write_bytes(b"")
    (paper.store.folder / "00000004.json").write_bytes(b"")
    assert "version 4 is damaged" in told("doctor", "--lang", "en", "--camera", "road")[1]
