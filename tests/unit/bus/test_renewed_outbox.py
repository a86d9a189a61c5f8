"""An outbox that begins anew: its disk was copied, or set back to an earlier state."""

import pytest

from edge.__main__ import main
from edge.machine import machine_name
from edge.recording.claim import Claim
from tests.support.desk_box import box_config, occurrence, open_desk


@pytest.fixture
def box(tmp_path):
    opened = open_desk(tmp_path / "box.db")
    for number in range(4):
        opened.desk.report(occurrence(region_id=f"r{number}"))
    yield opened
    opened.database.close()


def places(box):
    return [(message.sequence, message.formersequence) for message in box.messages()]


def test_what_waited_has_new_numbers_and_says_which_it_had(box):
    before = box.messages()
    box.outbox.receipted([1, 3])
    assert box.outbox.begin_anew() == 2
    assert places(box) == [(1, 2), (2, 4)]
    after = box.messages()
    assert [message.id for message in after] == [before[1].id, before[3].id]
    assert {message.formeroutbox for message in after} == {before[0].outboxid}
    assert {message.outboxid for message in after} == {box.outbox.load().outbox_id}
    assert after[0].outboxid != before[0].outboxid
    load = box.outbox.load()
    assert (load.former, load.rows, load.last_sequence) == ((before[0].outboxid,), 2, 2)


def test_all_that_ended_are_told_of_the_last_ones_at_the_end(box):
    ended = []
    for _ in range(10):
        ended.append(box.messages()[-1].outboxid)
        box.outbox.begin_anew()
    assert box.outbox.load().former == tuple(ended[-8:])


def test_a_disk_in_another_machine_begins_anew_once(box):
    assert not box.outbox.settle_on("here")
    assert not box.outbox.settle_on("here")
    assert places(box)[0] == (1, None)
    assert box.outbox.settle_on("there")
    assert places(box)[0] == (1, 1)
    assert not box.outbox.settle_on("there")


def test_a_receipt_for_the_old_outbox_clears_nothing_of_the_new_one(box):
    old = box.messages()[0].outboxid
    box.outbox.begin_anew()
    assert not box.outbox.is_called(old)
    assert box.outbox.reopen(old, 1, 4) is None


def test_a_machine_has_a_name_that_does_not_tell_its_id(tmp_path):
    path = tmp_path / "machine-id"
    assert machine_name(path) is None
    path.write_text("\n")
    assert machine_name(path) is None
    path.write_text("0123456789abcdef0123456789abcdef\n")
    name = machine_name(path)
    assert name == machine_name(path)
    assert "0123" not in (name or "")


@pytest.fixture
def config_file(tmp_path):
    config = box_config(tmp_path).box
    path = tmp_path / "edge.toml"
    path.write_text(
        f'[box]\nid = "{config.id}"\nname = "{config.name}"\n'
        f'region_code = "{config.region_code}"\ndata_dir = "{tmp_path}"\n'
    )
    return path


def test_a_person_can_have_it_numbered_anew(box, config_file, capsys):
    old = box.outbox.load().outbox_id
    assert main(["renew-outbox", "--config", str(config_file)]) == 0
    assert "4 messages wait" in capsys.readouterr().out
    assert box.outbox.load().former == (old,)


def test_not_while_the_box_runs_nor_where_there_is_none(box, config_file, tmp_path, capsys):
    claim = Claim(tmp_path)
    claim.take()
    assert main(["renew-outbox", "--config", str(config_file)]) == 1
    claim.close()
    box.database.close()
    (tmp_path / "box.db").unlink()
    assert main(["renew-outbox", "--config", str(config_file)]) == 1
    assert "no database" in capsys.readouterr().err
