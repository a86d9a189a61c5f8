from types import SimpleNamespace

from edge.health import StreamBoard
from edge.vitals import BoxVitals
from protocol.clock import FakeClock
from protocol.messages import LegalBasis
from tests.support.desk_box import box_config
from tests.support.xiacun import NOW

GATE = {"id": "gate", "name": "村口", "grid_code": "532324001002001"}
URL = {"main_url": "rtsp://192.0.2.1/main"}


def test_every_camera_tells_how_long_it_is_kept_and_by_which_right(tmp_path):
    square = GATE | URL | {"id": "square", "retention_days": 90, "legal_basis": "art9"}
    off = GATE | URL | {"id": "off", "enabled": False}
    config = box_config(tmp_path, cameras=[GATE | URL, square, off])
    index = SimpleNamespace(size_bytes=lambda: 0)
    vitals = BoxVitals(config, StreamBoard(), index, FakeClock(NOW), lambda: ("off", None)).vitals()
    assert [(each.camera_id, each.retention_days, each.legal_basis) for each in vitals.cameras] == [
        ("gate", 30, LegalBasis.ARTICLE_7_1),
        ("square", 90, LegalBasis.ARTICLE_9),
    ]
