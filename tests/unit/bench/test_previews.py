import json

from bench import previews


def test_every_kind_of_key_frame_is_measured_and_the_last_line_says_it(capsys):
    assert previews.main(["--pictures", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = json.loads(lines[-1])
    for kind in ("h264_1080p", "h264_4k", "h265_1080p", "h265_4k"):
        assert found[f"{kind}_median_ms"] > 0
        assert found[f"{kind}_cpu_ms"] is not None
    assert 0 < found["sheet_bytes_max"] <= 60 * 2400
    assert len(lines) == 2 + 4 + 1
