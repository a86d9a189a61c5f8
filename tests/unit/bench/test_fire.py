import json

import numpy as np
import pytest

from bench import fire
from bench.fire_baselines import ColourFlicker
from bench.footage import Clip
from models.fire import FLAME
from protocol.messages import AlertKind
from tests.support.clips import write_clip

SCORES = {AlertKind.FLAME: 0.4, AlertKind.SMOKE: 0.4}


def burning(seconds, from_s, fps=4, flickers=True):
    """A grey yard in which an orange patch burns from some second on."""
    rng = np.random.default_rng(3)
    pictures = []
    for index in range(seconds * fps):
        picture = np.full((90, 160, 3), 60, np.uint8)
        if index >= from_s * fps:
            light = 255 if not flickers or rng.random() < 0.5 else 190
            picture[40:70, 60:90] = (20, light * 0.55, light)
        pictures.append(picture)
    return pictures


def test_a_fire_is_called_soon_after_it_is_visible(tmp_path):
    write_clip(tmp_path / "yard.mp4", burning(20, 8))
    clip = Clip(file="yard.mp4", flame=((8.0, 20.0),))
    verdict = fire.play(tmp_path / "yard.mp4", clip, ColourFlicker(), SCORES, 2.0)
    assert not verdict.is_false
    assert 2.0 <= verdict.seconds <= 8.0
    assert verdict.smoke_s is None


def test_an_orange_sheet_that_hangs_still_is_not_called(tmp_path):
    write_clip(tmp_path / "sheet.mp4", burning(20, 0, flickers=False))
    clip = Clip(file="sheet.mp4")
    verdict = fire.play(tmp_path / "sheet.mp4", clip, ColourFlicker(), SCORES, 2.0)
    assert (verdict.first_s, verdict.is_false) == (None, False)


def verdict(flame_s=None, smoke_s=None, **truth):
    return fire.Verdict(Clip(file="a", **truth), flame_s, smoke_s)


def test_the_figures_count_what_is_found_false_and_late():
    flame, smoke = {"flame": ((8.0, 30.0),)}, {"smoke": ((5.0, 30.0),)}
    verdicts = [
        verdict(flame_s=12.5, **flame),
        verdict(smoke_s=7.5, flame_s=20.0, **flame, **smoke),
        verdict(**flame),
        verdict(flame_s=2.0, **flame),  # before there was anything
        verdict(smoke_s=3.0),
        verdict(),
        verdict(**smoke),  # neither a fire clip nor a negative
    ]
    assert [each.seconds for each in verdicts[:4]] == [4.5, 0.0, None, None]
    assert fire.figures(verdicts) == {
        "fire_clips": 4,
        "fire_clips_alarmed": 2,
        "fire_seconds_max": 4.5,
        "negatives": 2,
        "negatives_alarmed": 1,
        "called_too_early": 1,
    }
    assert fire.figures([])["fire_seconds_max"] is None


def test_a_folder_of_ones_own_is_judged_by_the_same_command(tmp_path, monkeypatch, capsys):
    write_clip(tmp_path / "yard.mp4", burning(16, 4))
    write_clip(tmp_path / "calm.mp4", burning(8, 8))
    (tmp_path / "fire.toml").write_text(
        '[[clip]]\nfile = "yard.mp4"\nflame = [[4.0, 16.0]]\n[[clip]]\nfile = "calm.mp4"\n'
    )
    monkeypatch.setattr("sys.argv", ["fire", "--data", str(tmp_path), "--baselines"])
    with pytest.raises(SystemExit, match=r"^0$"):
        fire.main()
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    found = last["baselines"]["colour_flicker"]
    assert (found["fire_clips"], found["fire_clips_alarmed"]) == (1, 1)
    assert (found["negatives"], found["negatives_alarmed"]) == (1, 0)


def test_the_colour_rule_finds_the_flame_where_it_is():
    seer = ColourFlicker()
    boxes = [seer.infer(picture) for picture in burning(4, 0)][-1]
    assert [box.kind for box in boxes] == [FLAME]
    middle = ((boxes[0].left + boxes[0].right) / 2, (boxes[0].top + boxes[0].bottom) / 2)
    assert middle == pytest.approx((75, 55), abs=5)
