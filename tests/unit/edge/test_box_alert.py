import pytest

from edge.box_alert import BoxAlert
from edge.errors import StorageError
from protocol.messages import BOX_SUBJECT, AlertKind, AlertOp
from tests.support.desk_box import occurrence, open_desk


def test_it_stands_from_its_start_to_its_end_whatever_process_asks(tmp_path):
    path = tmp_path / "box.db"
    box = open_desk(path)
    box.desk.report(occurrence())  # a gathering is another matter
    alert = BoxAlert(AlertKind.STORAGE, box.desk, box.clock)
    assert not alert.stands()
    alert.begin()
    assert alert.stands()
    box.database.close()

    again = open_desk(path)
    alert = BoxAlert(AlertKind.STORAGE, again.desk, again.clock)
    assert alert.stands()
    alert.end()
    assert not alert.stands()

    told = [each for each in again.messages() if each.data.kind is AlertKind.STORAGE]
    assert [(each.data.op, each.subject) for each in told] == [
        (AlertOp.START, BOX_SUBJECT),
        (AlertOp.END, BOX_SUBJECT),
    ]
    again.database.close()


def test_one_that_the_database_refuses_does_not_stand(tmp_path):
    box = open_desk(tmp_path / "box.db")
    alert = BoxAlert(AlertKind.STORAGE, box.desk, box.clock)
    box.database._connection.execute("pragma query_only=on")

    with pytest.raises(StorageError):
        alert.begin()

    assert not alert.stands()
    box.database.close()
