"""The settings on the disk, their process killed at any step of any change."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import SecretStr

from edge.errors import NotFoundError
from edge.settings.store import KEPT
from tests.support.cut import Killed, cut_after
from tests.support.settings import Paper, camera

cuts = st.none() | st.integers(0, 40)
ids = st.sampled_from(["gate", "road", "pond"])
names = st.sampled_from(["老街", "水塘", "桥头"])
passwords = st.none() | st.sampled_from(["one", "two"])

State = tuple[dict[str, str], dict[str, str]]


class KilledAnywhere(RuleBasedStateMachine):
    """After each change, whole or cut off, the box is as before it or as after it."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.paper = Paper(Path(self.folder.name))
        self.numbers: set[int] = set()
        self.highest = 0
        self.state: State = self.seen()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()

    def seen(self) -> State:
        return self.paper.names(), self.paper.passwords()

    def attempt(self, cut: int | None, do: Callable[[], object], expected: State) -> bool:
        """Do it, or begin to; return whether it came to its end. The next process looks."""
        try:
            with cut_after(cut):
                do()
        except Killed:
            done = False
        else:
            done = True
        self.paper.open()
        seen = self.seen()
        assert seen == expected if done else seen in (self.state, expected)
        self.state = seen
        return done

    @rule(camera_id=ids, name=names, password=passwords, cut=cuts)
    def save(self, camera_id: str, name: str, password: str | None, cut: int | None) -> None:
        was = self.state[1].get(camera_id)
        now = password or was
        login = {"username": "viewer"} if now else {}
        table = camera(camera_id, name, **login)
        secret = None if password is None else SecretStr(password)
        expected = (
            {**self.state[0], camera_id: name},
            {**self.state[1], **({camera_id: now} if now else {})},
        )
        save = self.paper.desk.save
        self.attempt(cut, lambda: save(table, secret, actor="李", reason="换"), expected)

    @rule(camera_id=ids, cut=cuts)
    def remove(self, camera_id: str, cut: int | None) -> None:
        def do() -> None:
            try:
                self.paper.desk.remove(camera_id, actor="李", reason="拆")
            except NotFoundError:
                assert camera_id not in self.state[0]

        names, kept = (
            {key: value for key, value in each.items() if key != camera_id} for each in self.state
        )
        self.attempt(cut, do, (names, kept))

    @rule(cut=cuts, holds=st.booleans())
    def run(self, cut: int | None, holds: bool) -> None:
        """The box starts with the newest, and it holds or is left: nothing changes by that."""

        def do() -> None:
            found = self.paper.probation.begin()
            if holds:
                self.paper.probation.accept(found.version)
            else:
                self.paper.probation.leave()

        standing = self.paper.store.standing()
        if standing.tried is not None:
            self.paper.store.stand(standing.model_copy(update={"tried": None}))
        self.attempt(cut, do, self.state)

    @rule(cut=cuts)
    def die_and_start(self, cut: int | None) -> None:
        """What was tried when the process died is undone: what had proved itself counts."""
        shelf, standing = self.paper.store.read(), self.paper.store.standing()
        good = shelf.find(standing.accepted)
        assert good is not None, "what has proved itself is never thrown away"
        if standing.tried == shelf.newest.number:
            config = self.paper.file.under(good.layer, self.paper.store.folder)
            names = {each.id: each.name for each in config.cameras}
            kept = {
                each.id: each.password.read().get_secret_value()
                for each in config.cameras
                if each.password is not None
            }
            expected = (names, kept)
        else:
            expected = self.state
        self.attempt(cut, self.paper.probation.begin, expected)

    @invariant()
    def numbers_only_grow_and_no_more_is_kept_than_was_promised(self) -> None:
        if not hasattr(self, "paper"):
            return
        shelf = self.paper.store.read()
        assert shelf.highest >= self.highest
        self.highest = shelf.highest
        assert shelf.damaged == {}
        assert len(shelf.versions) <= KEPT + 3  # beside 0, what holds, and one not yet tidied

    @invariant()
    def secrets_are_the_boxs_alone(self) -> None:
        if not hasattr(self, "paper") or not self.paper.store.folder.exists():
            return
        for path in self.paper.store.folder.rglob("*"):
            assert path.stat().st_mode & 0o077 == 0


TestKilledAnywhere = KilledAnywhere.TestCase
TestKilledAnywhere.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
