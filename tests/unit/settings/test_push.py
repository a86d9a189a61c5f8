"""Settings that the centre pushes: what they are checked for, and what they leave alone."""

from uuid import UUID

import pytest

from edge.commands.configuring import Refusal
from edge.errors import ConfigError
from edge.settings.desk import SettingsDesk
from edge.settings.effective import ConfigFile, effective
from edge.settings.layer import Layer
from edge.settings.push import SettingsPush
from edge.settings.store import SettingsStore, Standing
from edge.settings.trial import Ending
from protocol.clock import SystemClock
from protocol.commands import Configure

FIRST = UUID("019340a0-0000-7000-8000-000000000001")
SECOND = UUID("019340a0-0000-7000-8000-000000000002")
BOX = """
[box]
id = "box-01"
name = "青石村"
region_code = "533102105203"
data_dir = "data"
[detect]
fps = 2
[[cameras]]
id = "gate"
name = "村口"
grid_code = "533102105203001"
main_url = "rtsp://192.0.2.1/main"
username = "viewer"
password = { file = "gate-password" }
rules = [{ id = "crowd", exclude = [[[0, 0], [1, 0], [1, 1]]], hold_s = 60 }]
[[cameras]]
id = "pond"
name = "水塘"
grid_code = "533102105203002"
main_url = "rtsp://192.0.2.2/main"
"""


class Box:
    """A box's settings without the box."""

    def __init__(self, folder):
        (folder / "gate-password").write_text("hunter2\n")
        (folder / "data").mkdir()
        path = folder / "edge.toml"
        path.write_text(BOX, encoding="utf-8")
        self.file = ConfigFile.read(path)
        self.store = SettingsStore(self.file.config.box.data_dir, SystemClock())
        self.push = SettingsPush(self.file, self.store, lambda: {"gate/main"})

    @property
    def now(self):
        return effective(self.file, self.store)

    def camera(self, camera_id="gate"):
        return next(each for each in self.now.config.cameras if each.id == camera_id)

    def begin(self, patch, command_id=FIRST):
        self.push.begin(command_id, self.asked(patch), actor="李秀英", reason="调参")

    def asked(self, patch=None, **more):
        fields = {"base_version": self.now.version.number, "undo": patch is None}
        return Configure(patch=patch, **(fields | more))

    def end(self, ending):
        """Let the version on trial be kept, or taken back."""
        tried = self.now.version
        with self.store.changing():
            if ending is Ending.TAKEN_BACK:
                before = self.store.read().find(self.store.standing().accepted)
                tried = self.store.write(
                    before.layer, actor="box", reason="why", undoes=tried.number
                )
            self.store.stand(Standing(accepted=tried.number))


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


def test_a_change_is_told_before_anything_is_written(box):
    asked = box.asked('[detect]\nfps = 4\n[[cameras]]\nid = "gate"\nlost_after_s = 12')
    assert box.push.check(asked) == (
        "detect.fps: 2.0 → 4.0",
        "cameras.gate.lost_after_s: 30.0 → 12.0",
    )
    assert box.store.highest() == 0


def test_it_is_kept_on_trial_with_what_it_has_to_show(box):
    box.begin('[detect]\nfps = 4\n[[cameras]]\nid = "gate"\nlost_after_s = 12')
    assert box.now.config.detect.fps == 4
    assert (box.camera().lost_after_s, box.camera("pond").lost_after_s) == (12, 30)
    version = box.now.version
    assert (version.actor, version.reason) == ("李秀英", "调参")
    assert (version.terms.within_s, version.terms.streams) == (180, ("gate/main",))
    pushed = box.push.pushed(FIRST)
    assert (pushed.version, pushed.ending) == (1, None)
    box.end(Ending.KEPT)
    pushed = box.push.pushed(FIRST)
    assert pushed.ending is Ending.KEPT
    assert pushed.changes == ("detect.fps: 2.0 → 4.0", "cameras.gate.lost_after_s: 30.0 → 12.0")
    assert box.push.pushed(SECOND) is None


def test_a_camera_keeps_its_login_and_what_is_drawn(box):
    box.begin('[[cameras]]\nid = "gate"\nrules = [{ id = "crowd", hold_s = 30 }]')
    camera = box.camera()
    assert camera.password.read().get_secret_value() == "hunter2"
    assert camera.rules[0].hold_s == 30
    assert camera.rules[0].exclude == (((0, 0), (1, 0), (1, 1)),)
    box.end(Ending.KEPT)
    box.begin('[[cameras]]\nid = "gate"\nlost_after_s = 5', SECOND)
    assert box.camera().password.read().get_secret_value() == "hunter2"
    assert box.camera().rules[0].hold_s == 30


def test_only_what_is_another_is_laid_over_the_file(box):
    whole = '[detect]\nfps = 2.0\ncalm_fps = 1.0\n[[cameras]]\nid = "pond"\ntransport = "tcp"'
    box.begin(whole)
    layer = box.now.version.layer
    assert layer.sections == {"detect": {"calm_fps": 1.0}}
    assert layer.cameras == ()


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ("[detect]\nfps = 0", "'detect.fps': Input should be greater than or equal to 0.2, not 0"),
        ("[detect]\nfsp = 3", "'detect.fsp': can't be changed from afar"),
        ("[recording]\nretention_days = 7", "'recording.retention_days': Input should be"),
        ('[[cameras]]\nid = "gate"\ntransport = "x"', r"'cameras.0.transport': Input should"),
        ('[[cameras]]\nid = "gate"\nrules = [{ id = "crowd", hold = 3 }]', "rules.0.hold': Extra"),
    ],
)
def test_what_is_not_valid_is_refused_with_key_and_rule(box, patch, words):
    refusal = box.push.check(box.asked(patch))
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "settings"
    assert words in refusal.words
    with pytest.raises(ConfigError):
        box.begin(patch)
    assert box.store.highest() == 0


def test_what_was_made_for_another_version_is_refused(box):
    box.begin("[detect]\nfps = 4")
    box.end(Ending.KEPT)
    late = box.asked("[detect]\nfps = 8", base_version=0)
    refusal = Refusal("version", "the settings here are version 1, not 0")
    assert box.push.check(late) == refusal
    with pytest.raises(ConfigError, match="meanwhile the settings are version 1"):
        box.push.begin(SECOND, late, actor="", reason="")


def test_while_one_is_on_trial_another_is_only_checked(box):
    box.begin("[detect]\nfps = 4")
    patch = "[detect]\nfps = 8"
    assert box.push.check(box.asked(patch)).reason == "another_on_trial"
    assert box.push.check(box.asked(patch, check_only=True)) == ("detect.fps: 4.0 → 8.0",)
    with pytest.raises(ConfigError, match="meanwhile"):
        box.begin(patch, SECOND)


def test_undo_goes_back_to_what_counted_before_and_never_to_what_was_taken_back(box):
    assert box.push.check(box.asked()).reason == "settings"
    box.begin("[detect]\nfps = 4")
    box.end(Ending.KEPT)
    box.begin("[detect]\nfps = 8", SECOND)
    box.end(Ending.TAKEN_BACK)
    assert (box.now.version.number, box.now.config.detect.fps) == (3, 4)
    assert box.push.check(box.asked()) == ("detect.fps: 4.0 → 2.0",)
    box.begin(None, UUID(int=3))
    assert box.now.config.detect.fps == 2
    box.end(Ending.KEPT)
    assert box.push.check(box.asked()) == ("detect.fps: 2.0 → 4.0",)


def test_while_it_is_on_trial_what_had_proved_itself_is_known_and_nothing_else_is_changed(box):
    desk = SettingsDesk(box.file, box.store, box.now)
    assert desk.before_trial() is None
    box.begin("[recording]\nretention_days = 90")
    desk.took(box.now)
    assert desk.before_trial().recording.retention_days == 30
    assert desk.component().detail == "version 1 is on trial: 调参"
    with pytest.raises(ConfigError, match="version 1 of the settings is on trial"):
        desk.remove("pond", actor="张", reason="拆")
    assert desk.tuning()[1]["recording"]["retention_days"] == 90
    assert desk.is_on_trial(box.now.version)
    box.end(Ending.KEPT)
    assert desk.before_trial() is None
    desk.remove("pond", actor="张", reason="拆")


def test_an_operator_who_drops_the_layer_takes_back_what_is_on_trial(box):
    box.begin("[detect]\nfps = 4")
    desk = SettingsDesk(box.file, box.store, box.now)
    desk.change(lambda _: Layer(), actor="root", reason="config drop-layer")
    pushed = box.push.pushed(FIRST)
    assert (pushed.ending, pushed.why) == (Ending.TAKEN_BACK, "config drop-layer")
    assert box.now.config.detect.fps == 2


def test_what_was_taken_back_says_why(box):
    box.begin("[detect]\nfps = 4")
    box.end(Ending.TAKEN_BACK)
    pushed = box.push.pushed(FIRST)
    assert (pushed.ending, pushed.why) == (Ending.TAKEN_BACK, "why")
