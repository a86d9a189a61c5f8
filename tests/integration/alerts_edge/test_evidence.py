"""Pictures and clips on their way from an alert to a real HTTP server."""

import hashlib
from datetime import timedelta

import pytest

from edge.alerts.evidence import TRIES_WITHOUT_VIDEO, CourierTiming, EvidenceCourier
from edge.alerts.evidence_store import EvidenceStore
from edge.bus.backoff import Backoff
from edge.errors import NotFoundError, StorageError
from protocol.clock import SystemClock
from protocol.messages import AlertOp
from tests.support.desk_box import BOX, TOKEN, box_config, occurrence, open_desk
from tests.support.evidence_centre import EvidenceCentre
from tests.support.waiting import wait_until

SOON, NEVER = Backoff(0.02, 0.1), Backoff(3600, 3600)
QUICK = CourierTiming(retry=SOON, not_yet=SOON, away=SOON, refused=SOON)
#: A piece that was refused is not tried again in a test's time.
ONCE = CourierTiming(retry=NEVER, not_yet=NEVER, away=SOON)
PICTURE = b"\xff\xd8 a picture \xff\xd9"
CLIP = b"ftyp a clip " * 30_000


class Camera:
    """Both ports; raises what ``troubles`` holds first, then gives the bytes above."""

    def __init__(self, *troubles):
        self.troubles = list(troubles)
        self.clips = []
        self.pictures = 0

    def picture(self, camera_id, at):
        self.pictures += 1
        if self.troubles:
            raise self.troubles.pop(0)
        return PICTURE, at + timedelta(seconds=0.04)

    def clip(self, camera_id, start, end, target, stream, fit):
        self.clips.append((camera_id, start, end))
        target.write_bytes(CLIP)
        return start - timedelta(seconds=2), end


@pytest.fixture
def centre():
    server = EvidenceCentre()
    yield server
    server.close()


class Bench:
    """A desk, an evidence table and couriers over them, against a centre or without one."""

    def __init__(self, folder, centre):
        (folder / "token").write_text(TOKEN)
        sections = {"evidence": {"clip_pre_s": 10, "clip_post_s": 1}}
        if centre is not None:
            sections["centre"] = {
                "mqtt_host": "127.0.0.1",
                "http_url": centre.url,
                "token": {"file": folder / "token"},
            }
        self.folder = folder
        self.clock = SystemClock()
        self.config = box_config(folder, **sections)
        self.box = open_desk(folder / "box.sqlite3", self.clock, self.config)
        self.store = EvidenceStore(self.box.database)
        self.couriers = []

    def courier(self, camera, timing=QUICK):
        made = EvidenceCourier(self.config, self.store, camera, camera, self.clock, timing=timing)
        self.couriers.append(made)
        return made

    def alert(self, *, ago_s=5.0):
        at = self.clock.now() - timedelta(seconds=ago_s)
        self.box.desk.report(occurrence(at=at))
        self.box.desk.report(occurrence(AlertOp.END, at=at))
        return at, str(self.box.messages()[-1].data.alert_id)

    def rows(self, columns="kind, stored_us, failed"):
        return self.box.rows(f"select {columns} from evidence order by kind desc")

    def files(self):
        return sorted(path.name for path in (self.folder / "evidence").iterdir())

    def close(self):
        for courier in self.couriers:
            courier.close()
        self.box.database.close()


@pytest.fixture
def bench(tmp_path, centre):
    made = Bench(tmp_path, centre)
    yield made
    made.close()


def test_picture_and_clip_come_with_their_hash_and_true_times(bench, centre):
    at, alert = bench.alert()
    bench.courier(Camera()).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert [put.path for put in centre.puts] == [
        f"/api/v1/boxes/{BOX}/evidence/{alert}/snapshot",
        f"/api/v1/boxes/{BOX}/evidence/{alert}/clip",
    ]
    picture, clip = centre.puts
    assert (picture.body, clip.body) == (PICTURE, CLIP)
    names = (
        "x-content-sha256",
        "x-evidence-start",
        "x-evidence-end",
        "authorization",
    )
    taken_at = (at + timedelta(seconds=0.04)).isoformat()
    assert [picture.headers[name] for name in names] == [
        hashlib.sha256(PICTURE).hexdigest(),
        taken_at,
        taken_at,
        f"Bearer {TOKEN}",
    ]
    assert [clip.headers[name] for name in names[:3]] == [
        hashlib.sha256(CLIP).hexdigest(),
        (at - timedelta(seconds=12)).isoformat(),
        (at + timedelta(seconds=1)).isoformat(),
    ]
    wait_until(lambda: bench.files() == [])


def test_a_clip_waits_for_its_tail(bench, centre):
    camera = Camera()
    bench.courier(camera).start()
    at, _ = bench.alert(ago_s=0)
    bench.couriers[0].wake()
    wait_until(lambda: bench.store.pending() == 0)
    assert camera.clips == [("square", at - timedelta(seconds=10), at + timedelta(seconds=1))]
    assert bench.clock.now() >= at + timedelta(seconds=1)


def test_a_wake_is_enough_to_send_a_picture_at_once(bench, centre):
    courier = bench.courier(Camera())
    courier.start()
    bench.alert(ago_s=0)
    courier.wake()
    wait_until(lambda: centre.puts)  # nothing else wakes the thread of pictures within a minute


def test_an_alert_the_centre_does_not_know_yet_is_tried_again_soon(bench, centre):
    centre.answers.extend([404, 404, 503])
    bench.alert()
    bench.courier(Camera()).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert [put.answer for put in centre.puts[:4]] == [404, 404, 503, 201]
    assert [put.path.rsplit("/", 1)[1] for put in centre.puts[:4]].count("snapshot") >= 1


@pytest.mark.parametrize("answer", [409, 415, 422])
def test_what_the_centre_will_never_take_is_given_up_with_a_reason(bench, centre, answer):
    centre.answers.append(answer)
    bench.alert()
    bench.courier(Camera()).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert [row["failed"] for row in bench.rows()] == [f"HTTP {answer}", None]
    assert [put.path.rsplit("/", 1)[1] for put in centre.puts] == ["snapshot", "clip"]


@pytest.mark.parametrize("answer", [401, 429, 500])
def test_what_may_pass_is_tried_again(bench, centre, answer):
    centre.answers.append(answer)
    bench.alert()
    bench.courier(Camera()).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert [row["failed"] for row in bench.rows()] == [None, None]


def test_a_file_that_rotted_on_disk_is_made_again(bench, centre):
    centre.answers.append(503)
    bench.alert()
    first = bench.courier(Camera(), ONCE)
    first.start()
    wait_until(lambda: len(centre.puts) == 2)
    first.close()
    (picture,) = bench.files()
    (bench.folder / "evidence" / picture).write_bytes(b"\0" * len(PICTURE))
    with bench.box.database.transaction() as connection:
        connection.execute("update evidence set next_try_us = 0")
    centre.answers.append(422)  # its hash does not fit
    bench.courier(Camera()).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert centre.puts[-1].body == PICTURE
    assert [row["failed"] for row in bench.rows()] == [None, None]


def test_a_file_that_is_gone_is_made_again(bench, centre):
    centre.answers.extend([503])
    bench.alert()
    first = bench.courier(Camera(), ONCE)
    first.start()
    wait_until(lambda: len(centre.puts) == 2)
    first.close()
    for name in bench.files():
        (bench.folder / "evidence" / name).unlink()
    with bench.box.database.transaction() as connection:
        connection.execute("update evidence set next_try_us = 0")
    bench.courier(Camera()).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert centre.puts[-1].body == PICTURE


def test_files_wait_through_an_outage_and_a_restart(bench, centre):
    centre.answers.extend([503] * 1000)
    _, alert = bench.alert()
    first = bench.courier(Camera())
    first.start()
    wait_until(lambda: {put.path.rsplit("/", 1)[1] for put in centre.puts} == {"snapshot", "clip"})
    first.close()
    assert (bench.files(), bench.store.pending()) == ([f"{alert}.jpg", f"{alert}.mp4"], 2)
    centre.answers.clear()
    bench.courier(Camera()).start()
    wait_until(lambda: bench.store.pending() == 0)
    wait_until(lambda: bench.files() == [])


def test_pictures_that_are_not_there_yet_are_tried_again(bench, centre):
    bench.alert()
    bench.courier(Camera(NotFoundError("not yet"), StorageError("disk full"))).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert [row["failed"] for row in bench.rows()] == [None, None]


def test_making_is_given_up_where_there_is_no_video(bench, centre):
    bench.alert()
    troubles = [NotFoundError("no video there")] * TRIES_WITHOUT_VIDEO
    bench.courier(Camera(*troubles)).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert [row["failed"] for row in bench.rows()] == ["not made: no video there", None]


def test_without_a_centre_files_are_made_and_kept(tmp_path):
    bench = Bench(tmp_path, None)
    _, alert = bench.alert()
    courier = bench.courier(Camera())
    courier.start()
    wait_until(lambda: len(bench.files()) == 2)
    wait_until(lambda: bench.rows("path") == [{"path": f"{alert}.jpg"}, {"path": f"{alert}.mp4"}])
    assert courier.pending() == 2
    bench.close()


def test_stray_files_and_drafts_of_a_crash_are_removed(bench, centre):
    folder = bench.folder / "evidence"
    folder.mkdir()
    for name in ("draft.x.mp4", "019340a1-c2d0-7abc-9def-0123456789ab.jpg"):
        (folder / name).write_bytes(b"x")
    bench.courier(Camera()).start()
    wait_until(lambda: bench.files() == [])


def test_new_pictures_and_clips_are_made_while_an_upload_hangs(bench, centre):
    centre.answering.clear()
    _, first = bench.alert()
    bench.courier(Camera()).start()
    wait_until(lambda: centre.puts)
    _, second = bench.alert()
    bench.couriers[0].wake()
    names = sorted(f"{alert}.{end}" for alert in (first, second) for end in ("jpg", "mp4"))
    wait_until(lambda: bench.files() == names)
    wait_until(lambda: all(row["path"] for row in bench.rows("path")))
    assert len(centre.puts) == 1  # and no clip has overtaken the picture
    centre.answering.set()
    wait_until(lambda: bench.store.pending() == 0)
    kinds = [put.path.rsplit("/", 1)[1] for put in centre.puts]
    assert kinds == ["snapshot", "snapshot", "clip", "clip"]


class Shortening(Camera):
    """Makes a clip as long as it may be, but never shorter than ``least_bytes``."""

    def __init__(self, least_bytes):
        super().__init__()
        self._least_bytes = least_bytes

    def clip(self, camera_id, start, end, target, stream, fit):
        super().clip(camera_id, start, end, target, stream, fit)
        if fit is None:
            return start, end
        target.write_bytes(b"x" * max(fit.max_bytes, self._least_bytes))
        return fit.around, end


def test_a_clip_that_is_longer_than_the_centre_takes_is_made_anew_and_shorter(bench, centre):
    centre.limit_bytes = 100_000
    at, _ = bench.alert()
    camera = Shortening(least_bytes=0)
    bench.courier(camera).start()
    wait_until(lambda: bench.store.pending() == 0)
    _, clip = centre.puts
    assert (len(clip.body), clip.headers["x-evidence-start"]) == (100_000, at.isoformat())
    assert len(camera.clips) == 2
    assert [row["failed"] for row in bench.rows()] == [None, None]


def test_a_clip_that_can_not_be_short_enough_is_given_up_and_said_so(bench, centre):
    centre.limit_bytes = 100_000
    bench.alert()
    bench.courier(Shortening(least_bytes=100_001)).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert [row["failed"] for row in bench.rows()] == [None, "too large: 100001 bytes"]


class Refusing(EvidenceStore):
    """A database that can't take some rows, five times."""

    def __init__(self, database, method):
        super().__init__(database)
        self.left = 5
        inner = getattr(self, method)

        def refuse(*args):
            if self.left:
                self.left -= 1
                raise StorageError("disk full")
            inner(*args)

        setattr(self, method, refuse)


def test_what_the_centre_has_is_not_sent_again_because_the_disk_refuses_the_row(bench, centre):
    bench.store = Refusing(bench.box.database, "stored")
    bench.alert()
    bench.courier(Camera()).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert bench.store.left == 0
    assert [put.path.rsplit("/", 1)[1] for put in centre.puts] == ["snapshot", "clip"]


def test_what_the_centre_will_never_take_is_not_sent_again_for_that_either(bench, centre):
    bench.store = Refusing(bench.box.database, "failed")
    centre.answers.append(409)
    bench.alert()
    bench.courier(Camera()).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert bench.store.left == 0
    assert [put.path.rsplit("/", 1)[1] for put in centre.puts] == ["snapshot", "clip"]


def test_what_is_made_is_not_made_again_because_the_disk_refuses_the_row(bench, centre):
    bench.store = Refusing(bench.box.database, "made")
    bench.alert()
    camera = Camera()
    bench.courier(camera).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert (bench.store.left, camera.pictures, len(camera.clips)) == (0, 1, 1)


def test_closing_twice_and_before_starting_is_harmless(bench, centre):
    courier = bench.courier(Camera())
    courier.close()
    courier.close()


def test_a_centre_that_is_away_is_waited_for(tmp_path):
    gone = EvidenceCentre()
    gone.close()
    bench = Bench(tmp_path, gone)
    bench.alert()
    bench.courier(Camera()).start()
    wait_until(lambda: all(row["tries"] >= 2 for row in bench.rows("tries")))
    assert [row["failed"] for row in bench.rows()] == [None, None]
    bench.close()


def test_closing_ends_an_upload_at_its_next_chunk(tmp_path):
    """The link is slow: what is under way is left there and begun again after the restart."""
    centre = EvidenceCentre()
    bench = Bench(tmp_path, centre)
    _, alert = bench.alert()
    courier = bench.courier(Camera())

    class Closing(Camera):
        """Closes the courier while the clip is being read: the file is there, nothing is sent."""

        def clip(self, *given):
            bounds = super().clip(*given)
            wait_until(lambda: bench.store.pending() == 1)  # the picture has gone
            courier._uploader.stop()
            return bounds

    courier._maker._clipper = Closing()
    courier.start()
    wait_until(lambda: {"tries": 1} in bench.rows("tries"))
    courier.close()
    assert bench.files() == [f"{alert}.mp4"]
    bench.courier(Camera()).start()
    wait_until(lambda: bench.store.pending() == 0)
    assert centre.puts[-1].body == CLIP
    bench.close()
    centre.close()
