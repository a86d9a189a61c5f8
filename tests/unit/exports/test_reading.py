import errno

import pytest

from edge.exports.ordering import source_of
from edge.exports.parts import Take
from edge.exports.reading import UnreadableError, opened, poured
from tests.support.packets import packets
from tests.support.recordings import ended, recorded, timed


@pytest.fixture
def take(archive) -> Take:
    recorded(archive, ended(timed(packets(frames=50, gop=25))))
    source = source_of(archive.segments()[0])
    (found,) = opened([source], pytest.fail)
    take = Take(source)
    for samples in found.fragments:
        for entry in samples:
            take.add(entry)
    return take


def test_a_disk_that_takes_no_more_is_no_fault_of_the_recorded_file(take):
    def full(_: memoryview) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(OSError, match="no space left"):
        poured(take, full)


def test_a_recorded_file_that_is_gone_is_named(take, archive):
    archive.segments()[0].path.unlink()

    with pytest.raises(UnreadableError, match="No such file") as caught:
        poured(take, pytest.fail)
    assert caught.value.source == take.source
