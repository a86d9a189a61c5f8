"""``make eval`` on a folder of one's own, with the model that comes with the program."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from bench import evaluate
from tests.support.clips import write_clip
from tests.support.tools import ROOT

TRUTH = """
[[clip]]
file = "calm.mkv"
[[clip.gathering]]
rule = { levels = { ordinary = 3 }, hold_s = 5 }
[[clip]]
file = "gone.mkv"
flame = [[1.0, 3.0]]
[[pictures]]
folder = "yard"
person = [0]
"""


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "bench.evaluate", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path):
    grey = np.full((96, 128, 3), 90, np.uint8)
    write_clip(tmp_path / "calm.mkv", [grey] * 12)
    for part in ("images", "labels"):
        (tmp_path / "yard" / part).mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "yard" / "images" / "a.png"), grey)
    (tmp_path / "yard" / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.6\n")
    (tmp_path / "truth.toml").write_text(TRUTH)
    return tmp_path


def test_a_folder_of_ones_own_is_judged_and_what_is_missing_costs_nothing_else(folder):
    model = ("--person-model", "ssdlite-mobilenetv2-person")
    done = command("--data", folder, *model, "--onnx", folder / "no.onnx")
    last = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert tuple(last)[: len(evaluate.KEYS)] == evaluate.KEYS
    assert (last["gatherings_found"], last["gatherings_false"], last["gatherings"]) == (0, 0, 0)
    assert last["people"]["ap50"] == 0.0  # plain grey has nobody in it, whatever its label says
    assert (last["pets_ap50"], last["fire_clips"], last["fire_recall"]) == (None, None, None)
    baseline = last["baselines"]["colour_flicker"]
    assert (baseline["negatives"], baseline["fire_clips"]) == (1, 0)
    assert any("gone.mkv" in each for each in last["lost"])
    assert any("no.onnx" in each for each in last["lost"])
    assert "not judged: flame and smoke: " in done.stderr


def test_where_nothing_can_be_judged_it_says_so_and_ends_with_2(tmp_path):
    (tmp_path / "truth.toml").write_text('[[clip]]\nfile = "gone.mkv"\n')
    done = command("--data", tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout.splitlines()[-1])["fire_clips"] is None
    assert "gone.mkv" in done.stderr


def test_a_truth_file_with_an_unknown_key_is_refused_by_file_and_key(tmp_path):
    (tmp_path / "truth.toml").write_text('[[clip]]\nfile = "a.mkv"\nflames = [[0, 1]]\n')
    done = command("--data", tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path}/truth.toml: 'clip.0.flames'" in done.stderr
    assert done.stdout == ""
