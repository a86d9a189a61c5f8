from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.db.instant import to_us
from edge.recording.rebuild import closed_file
from tests.support.recordings import at

ROOT = Path("/recordings")
ROW: dict[str, Any] = {
    "camera_id": "gate",
    "stream": "main",
    "run_id": "0" * 32,
    "path": f"gate/main/20261122/010203-{'0' * 32}.mp4",
    "start_us": to_us(at(0)),
    "end_us": to_us(at(10)),
    "start_dts": 0,
    "duration": 900_000,
    "wall_us": 10_000_000,
    "size_bytes": 1000,
    "init_bytes": 500,
    "sha256": "0" * 64,
    "codec": "h264",
    "mime_codec": "avc1.64001f",
    "width": 640,
    "height": 360,
    "starts_key": 1,
    "recovered": 0,
}
ANYTHING = st.none() | st.integers() | st.floats() | st.text() | st.binary()


def test_a_row_that_agrees_with_itself_is_believed_and_marked():
    found = closed_file(ROW, ROOT)
    assert found is not None
    assert (found.path, found.start, found.end) == (ROOT / ROW["path"], at(0), at(10))
    assert found.recovered


@pytest.mark.parametrize(
    "changes",
    [
        {"path": f"hall/main/20261122/010203-{'0' * 32}.mp4"},
        {"path": f"gate/sub/20261122/010203-{'0' * 32}.mp4"},
        {"path": f"gate/main/20261122/010204-{'0' * 32}.mp4"},
        {"path": f"gate/main/20261123/010203-{'0' * 32}.mp4"},
        {"path": "../../etc/passwd"},
        {"camera_id": "hall"},
        {"start_us": to_us(at(1))},
        {"end_us": to_us(at(11))},
        {"duration": 900_090},
        {"duration": 0, "end_us": to_us(at(0))},
        {"init_bytes": 1000},
        {"sha256": "0" * 63},
        {"sha256": "g" * 64},
        {"codec": "h266"},
        {"stream": "mail"},
        {"start_us": 2**62},
    ],
)
def test_a_row_that_does_not_is_not(changes):
    assert closed_file(ROW | changes, ROOT) is None


@pytest.mark.parametrize("name", ROW)
def test_a_row_without_one_of_its_columns_is_not_believed(name):
    assert closed_file({key: ROW[key] for key in ROW if key != name}, ROOT) is None


@given(st.data())
def test_whatever_is_read_is_judged_without_an_error(data):
    row = dict(ROW)
    for name in data.draw(st.sets(st.sampled_from(sorted(row)), min_size=1)):
        row[name] = data.draw(ANYTHING)
    found = closed_file(row, ROOT)
    assert found is None or found.path.is_relative_to(ROOT / "gate" / "main")
