"""Whatever is repeated, refused by the disk or cut short: done once, and one result (I20, I21)."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from edge.commands.camera_clock import ClockSetter
from edge.commands.camera_clock import Ending as SetEnding
from edge.commands.timekeeper import Timekeeper
from edge.config import CameraSection
from edge.errors import ClockServiceError, StorageError
from edge.settings.trial import Ending
from protocol.clock import FakeClock
from protocol.messages import ClockQuality, ClockState, CommandMessage, Outcome
from tests.support.commanded import CommandedBox, Settings, command, quality
from tests.support.desk_box import AT

FETCHES = ("snapshot", "clip")
TAKE_A_WHILE = (*FETCHES, "sync_clock", "camera_clock", "configure")
BOUNDS = {"start": "2026-11-22T01:00:00Z", "end": "2026-11-22T01:01:00Z"}
ARGUMENTS = {
    "snapshot": {},
    "clip": BOUNDS,
    "disarm": {"for_s": 3600},
    "arm": {},
    "sync_clock": {},
    "mask": {"rule_id": "crowd", "exclude": [[[0, 0], [1, 0], [1, 1]]]},
    "configure": {"patch": "[detect]\nfps = 4", "base_version": 0},
    "camera_clock": {},
    "reboot": {},
}


class CommandMachine(RuleBasedStateMachine):
    """A centre that repeats itself, and a box whose process and disk fail."""

    commands = Bundle("commands")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock(AT)
        self.time_service_works = True
        self.settings = Settings()
        self.is_steered = True
        self.box = self.opened()
        self.heard: dict[str, CommandMessage] = {}

    @rule(target=commands, kind=st.sampled_from(sorted(ARGUMENTS)), ttl_s=st.integers(1, 7200))
    def give(self, kind, ttl_s):
        arguments = ARGUMENTS[kind]
        if kind == "configure":
            arguments = arguments | {"base_version": self.settings.version}
        message = command(kind, ttl_s=ttl_s, **arguments)
        self.hear(message)
        return message

    @rule(message=commands)
    def give_again(self, message):
        self.hear(message)

    @rule(message=commands)
    def give_while_the_disk_refuses(self, message):
        self._break("outbox")
        before = self._state()
        try:
            self.box.desk.hear(message)
        except StorageError:
            assert self._state() == before
        self._mend()

    @rule(message=commands, works=st.booleans())
    def fetch(self, message, works):
        self.box.fetch(message.id, None if works else "not made")

    @rule(works=st.booleans())
    def set_the_clock(self, works):
        self.time_service_works = works
        self.box.desk.set_clock()

    @rule()
    def die_after_the_time_service_was_started_again(self):
        self._break("outbox")
        before = self._state()
        try:
            self.box.desk.set_clock()
        except StorageError:
            assert self._state() == before
        self._mend()
        self.die_and_start()

    @rule(steered=st.booleans())
    def the_time_service_comes_or_goes(self, steered):
        self.is_steered = steered

    @rule()
    def set_cameras_clocks(self):
        self.setter.work()

    @rule(dies=st.booleans())
    def set_cameras_clocks_while_the_disk_refuses(self, dies):
        self._break("outbox")
        before = self._state()
        try:
            self.setter.work()
        except StorageError:
            assert self._state() == before
        self._mend()
        if dies:
            self.die_and_start()

    @rule()
    def configure(self):
        self.box.desk.configure()

    @rule()
    def configure_while_the_settings_disk_refuses(self):
        self.settings.is_full = True
        with contextlib.suppress(StorageError):
            self.box.desk.configure()
        self.settings.is_full = False

    @rule()
    def die_after_a_version_was_written_and_before_it_was_said(self):
        self._break("outbox")
        with contextlib.suppress(StorageError):
            self.box.desk.configure()
        self._mend()
        self.die_and_start()

    @rule(ending=st.sampled_from(Ending))
    def the_trial_ends(self, ending):
        self.settings.end(ending, "because")

    @rule()
    def settle(self):
        self.box.desk.settle()

    @rule()
    def settle_while_the_disk_refuses(self):
        self._break("outbox")
        before = self._state()
        try:
            self.box.desk.settle()
        except StorageError:
            assert self._state() == before
        self._mend()

    @rule()
    def receipts_come(self):
        rows = self.box.box.rows("select seq from outbox where receipt_us is null")
        self.box.box.outbox.receipted([row["seq"] for row in rows])

    @rule(seconds=st.integers(1, 7200))
    def time_passes(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def die_and_start(self):
        self.box.close()
        self.box = self.opened()

    @invariant()
    def each_is_done_once_and_has_one_result(self):
        for message in self.heard.values():
            said = self.box.outcomes(message.id)
            finals = [outcome for outcome in said if outcome is not Outcome.ACCEPTED]
            is_fetch = message.data.kind in FETCHES
            takes_a_while = message.data.kind in TAKE_A_WHILE
            assert said.count(Outcome.ACCEPTED) <= int(takes_a_while)
            assert len(finals) <= 1
            assert takes_a_while or len(finals) == 1
            assert not finals or said[-1] is finals[0]
            pieces = self.box.box.rows(f"select kind from evidence where alert_id = '{message.id}'")
            assert len(pieces) == int(is_fetch and Outcome.ACCEPTED in said)

    @invariant()
    def what_is_said_of_settings_is_what_counts(self):
        for message in self.heard.values():
            finals = [each for each in self.box.results(message.id) if each.outcome != "accepted"]
            if message.data.kind != "configure" or not finals:
                continue
            pushed = self.settings.pushes.get(message.id)
            said = finals[0].outcome
            assert (said is Outcome.DONE) == (pushed is not None and pushed.ending is Ending.KEPT)
            assert pushed is None or pushed.ending is not None

    def teardown(self):
        if not hasattr(self, "box"):
            return
        self.clock.advance(7201)
        self.box.desk.settle()
        self.box.desk.configure()
        self.settings.end(Ending.TAKEN_BACK, "the end")
        self.box.desk.configure()
        for message in self.heard.values():
            assert self.box.outcomes(message.id)[-1] is not Outcome.ACCEPTED
        self.box.close()
        self.folder.cleanup()

    def opened(self) -> CommandedBox:
        path = Path(self.folder.name) / "box.db"
        timekeeper = Timekeeper(self.quality, self.restart)
        box = CommandedBox.opened(path, self.clock, timekeeper, self.settings)
        cameras = box.box.config.cameras
        self.setter = ClockSetter(cameras, box.box.database, box.desk, self.clock, self)
        return box

    def quality(self) -> ClockQuality:
        return quality(ClockState.SYNCED if self.is_steered else ClockState.UNSYNCED)

    def run(self, _: CameraSection) -> SetEnding:
        return SetEnding(Outcome.DONE, "clock_set", "")

    def stop(self) -> None:
        pass

    def restart(self) -> None:
        if not self.time_service_works:
            raise ClockServiceError("systemd-timesyncd.service: access denied")

    def hear(self, message: CommandMessage) -> None:
        self.box.hear(message)
        self.heard[str(message.id)] = message
        # Heard again, its last word is on its way again: the centre that asked has missed it.
        waiting = self.box.box.rows(
            "select outbox.seq from outbox join command using (seq)"
            f" where command_id = '{message.id}' and receipt_us is null"
        )
        assert len(waiting) == 1

    def _break(self, table: str) -> None:
        with self.box.box.database.transaction() as connection:
            connection.execute(
                f"create trigger full before insert on {table}"
                " begin select raise(abort, 'full'); end"
            )

    def _mend(self) -> None:
        with self.box.box.database.transaction() as connection:
            connection.execute("drop trigger full")

    def _state(self) -> list[list[dict[str, object]]]:
        tables = ("command", "disarmed", "mask", "evidence", "outbox")
        return [self.box.box.rows(f"select * from {table}") for table in tables]


CommandMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestCommands = CommandMachine.TestCase
