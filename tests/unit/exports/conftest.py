from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.recordings import Archive


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    opened = Archive(tmp_path / "box")
    yield opened
    opened.close()
