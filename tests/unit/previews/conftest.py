from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.previews.process import PictureProcess
from edge.previews.taker import PreviewTaker
from edge.previews.wire import Question
from tests.support.recordings import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = Archive(tmp_path / "box")
    yield opened
    opened.close()


class CountingProcess(PictureProcess):
    """The real one; ``made`` is how often it was asked."""

    made = 0

    def picture(self, question: Question) -> bytes:
        self.made += 1
        return super().picture(question)


@pytest.fixture
def process() -> Iterator[CountingProcess]:
    made = CountingProcess()
    yield made
    made.close()


@pytest.fixture
def taker(archive: Archive, process: CountingProcess) -> PreviewTaker:
    return PreviewTaker(archive.index, archive.clock, process)
