"""Whatever dies when: one result, one of the two settings, and they agree (protocol I27)."""

import tempfile
from pathlib import Path
from uuid import UUID

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.settings.effective import ConfigFile, effective
from edge.settings.probation import Probation
from edge.settings.push import SettingsPush
from edge.settings.store import SettingsStore
from edge.settings.trial import Ending, Signs
from protocol.clock import FakeClock
from protocol.messages import CommandMessage, Outcome
from tests.support.commanded import CommandedBox, command
from tests.support.desk_box import AT

BOX = """
[box]
id = "laozhai-01"
name = "老寨"
region_code = "533102105203"
data_dir = "data"
[detect]
fps = 2
"""
WELL = Signs(hears=True, wanted=frozenset(), live=frozenset())
CUT_OFF = Signs(hears=False, wanted=frozenset(), live=frozenset())
NEVER = 1_000_000
LEFT = st.sampled_from([NEVER, NEVER, 0, 1, 2])


class DeathError(Exception):
    """The process dies here."""


class DyingStore(SettingsStore):
    """A store whose process dies at its ``left``-th write, before or after that is on the disk."""

    left = NEVER
    after = False

    def _put(self, path: Path, data: bytes) -> None:
        self.left -= 1
        if self.left < 0 and not self.after:
            raise DeathError
        super()._put(path, data)
        if self.left < 0:
            raise DeathError


class PushMachine(RuleBasedStateMachine):
    """A box whose settings are pushed, and whose process dies between any two of its writes."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        (Path(self.folder.name) / "data").mkdir()
        path = Path(self.folder.name) / "edge.toml"
        path.write_text(BOX, encoding="utf-8")
        self.file = ConfigFile.read(path)
        self.clock = FakeClock(AT)
        self.wanted: dict[UUID, float] = {}
        self.before: dict[UUID, float] = {}
        self.heard: list[CommandMessage] = []
        self.start()

    def start(self) -> None:
        """Start the box's process, with what the last one left."""
        self.store = DyingStore(self.file.config.box.data_dir, self.clock)
        self.probation = Probation(self.file, self.store)
        self.box = CommandedBox.opened(
            Path(self.folder.name) / "box.db",
            self.clock,
            settings=SettingsPush(self.file, self.store, frozenset),
        )
        self.runs = self.probation.begin()

    def mortal(self, act, left: int, after: bool) -> None:
        """Do something, and die at one of its writes."""
        self.store.left, self.store.after = left, after
        try:
            act()
        except DeathError:
            self.box.close()
            self.start()
        else:
            self.store.left = NEVER

    @rule(fps=st.integers(1, 25), stale=st.sampled_from([0, 0, 0, 1]))
    def push(self, fps, stale):
        now = effective(self.file, self.store)
        message = command(
            "configure",
            patch=f"[detect]\nfps = {fps}",
            base_version=now.version.number + stale,
        )
        self.before[message.id], self.wanted[message.id] = now.config.detect.fps, fps
        self.box.hear(message)
        self.heard.append(message)

    @precondition(lambda self: self.heard)
    @rule()
    def give_again(self):
        self.box.hear(self.heard[-1])

    @rule(left=LEFT, after=st.booleans())
    def turn(self, left, after):
        self.mortal(self.box.desk.configure, left, after)

    @rule(fps=st.integers(1, 25), left=LEFT, after=st.booleans())
    def push_and_try(self, fps, left, after):
        self.push(fps, 0)
        self.turn(left, after)
        self.take(left, after)

    @rule(left=LEFT, after=st.booleans())
    def take(self, left, after):
        if self.store.highest() > self.runs.seen:
            self.mortal(lambda: setattr(self, "runs", self.probation.take()), left, after)

    @rule(
        signs=st.sampled_from([WELL, CUT_OFF]),
        age_s=st.sampled_from([5.0, 20.0, 200.0, 200.0]),
        left=LEFT,
        after=st.booleans(),
    )
    def look(self, signs, age_s, left, after):
        trial = self.probation.trial(self.runs.version)
        if trial is None:
            return
        trial = trial.look(signs, age_s)
        version = self.runs.version
        if trial.ending is Ending.KEPT:
            self.mortal(lambda: self.probation.accept(version), left, after)
        elif trial.ending is Ending.TAKEN_BACK:
            undo = self.probation.undo
            self.mortal(lambda: setattr(self, "runs", undo(version, trial.why)), left, after)

    @rule()
    def die(self):
        self.box.close()
        self.start()

    @rule()
    def restart(self):
        self.probation.leave()
        self.die()

    @invariant()
    def each_command_has_one_result_and_it_is_true(self):
        on_trial = self.probation.trial(effective(self.file, self.store).version) is not None
        for message in self.heard:
            said = self.box.outcomes(message.id)
            finals = [each for each in said if each is not Outcome.ACCEPTED]
            assert len(finals) <= 1
            assert said.count(Outcome.ACCEPTED) <= 1
            pushed = self.box.tuner.pushed(message.id)
            if finals == [Outcome.DONE]:
                assert pushed.ending is Ending.KEPT
            elif finals:
                assert pushed is None or pushed.ending is Ending.TAKEN_BACK
            elif pushed is not None and pushed.ending is None:
                assert on_trial

    @invariant()
    def what_counts_is_what_was_kept_or_is_on_trial(self):
        counts = effective(self.file, self.store).config.detect.fps
        good = [2.0]  # the file's, and then what each command made of it
        for message in self.heard:
            pushed = self.box.tuner.pushed(message.id)
            if pushed is not None and pushed.ending is not Ending.TAKEN_BACK:
                good.append(self.wanted[message.id])
        assert counts == good[-1]

    def teardown(self):
        if not hasattr(self, "box"):
            return
        for _ in range(3):
            self.box.desk.configure()
            self.runs = self.probation.take()
            trial = self.probation.trial(self.runs.version)
            if trial is not None:
                self.runs = self.probation.undo(self.runs.version, "the end")
        for message in self.heard:
            last = self.box.results(message.id)[-1]
            assert last.outcome is not Outcome.ACCEPTED
            event(f"{last.outcome} {last.reason}")
        self.box.close()
        self.folder.cleanup()


PushMachine.TestCase.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
TestPushedSettings = PushMachine.TestCase
