"""What every storage of evidence promises, and what S3 does besides."""

import contextlib
import hashlib
import random
import shutil
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from central.errors import EvidenceAwayError, NotFoundError
from central.evidence import disk
from central.evidence.folder import FolderStorage
from central.evidence.s3 import PART_BYTES, S3Storage
from central.evidence.span import Span
from protocol.clock import FakeClock, SystemClock
from tests.support.cutting_link import CuttingLink
from tests.support.refusing_s3 import refusing_s3
from tests.support.s3 import BUCKET, SECRET_KEY, running_moto, running_seaweed, settings_of
from tests.support.waiting import wait_until
from tests.support.xiacun import NOW

KEY = "cun-1/2026-11/a-clip-1.mp4"
CLIP = random.Random(1).randbytes(300_000)
LONG = random.Random(2).randbytes(2 * PART_BYTES + 1_000_000)


@pytest.fixture(params=["folder", "seaweed", "moto"])
def storage(request, tmp_path):
    if request.param == "folder":
        (tmp_path / "evidence").mkdir()
        return FolderStorage(tmp_path / "evidence")
    server = request.getfixturevalue(f"{request.param}_server")
    server.empty()
    return S3Storage(server.settings(), SystemClock())


def written(folder: Path, content: bytes) -> tuple[Path, str]:
    path = folder / "source"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def whole(storage, key, size):
    with contextlib.closing(storage.open(key, Span(0, size - 1))) as content:
        return b"".join(iter(lambda: content.read(100_000), b""))


@pytest.mark.parametrize("clip", [CLIP, LONG], ids=["short", "in parts"])
def test_what_is_put_is_there_whole_and_its_source_stays(storage, tmp_path, clip):
    source, sha256 = written(tmp_path, clip)
    storage.put(KEY, source, sha256)
    source.unlink()
    assert whole(storage, KEY, len(clip)) == clip
    assert [kept.key for kept in storage.kept()] == [KEY]


def test_putting_the_same_again_changes_nothing(storage, tmp_path):
    source, sha256 = written(tmp_path, CLIP)
    for _ in range(2):
        storage.put(KEY, source, sha256)
    assert source.read_bytes() == CLIP
    assert [kept.key for kept in storage.kept()] == [KEY]
    assert whole(storage, KEY, len(CLIP)) == CLIP


def test_some_bytes_are_read_without_the_others(storage, tmp_path):
    storage.put(KEY, *written(tmp_path, CLIP))
    with contextlib.closing(storage.open(KEY, Span(1000, 1999))) as content:
        assert content.read(1000) == CLIP[1000:2000]


def test_what_is_deleted_is_gone_and_may_be_deleted_again(storage, tmp_path):
    storage.put(KEY, *written(tmp_path, CLIP))
    for _ in range(2):
        storage.delete(KEY)
    assert list(storage.kept()) == []
    with pytest.raises(NotFoundError):
        storage.open(KEY, Span(0, 9))
    storage.probe()
    assert storage.works


def test_a_disk_without_hard_links_is_copied_to(tmp_path, monkeypatch):
    def refuse(*_given: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    storage = FolderStorage(tmp_path / "evidence")
    storage.put(KEY, *written(tmp_path, CLIP))
    assert whole(storage, KEY, len(CLIP)) == CLIP
    assert [kept.key for kept in storage.kept()] == [KEY]


def test_a_disk_that_is_nearly_full_does_not_work(tmp_path, monkeypatch):
    storage = FolderStorage(tmp_path)
    assert storage.works
    monkeypatch.setattr(disk, "FREE_FLOOR_BYTES", 10**18)
    assert not storage.works


# -- S3 alone ---------------------------------------------------------------------------------


def test_an_object_that_comes_back_changed_is_not_kept(s3, tmp_path):
    storage = S3Storage(s3.settings(), SystemClock())
    source, _ = written(tmp_path, CLIP)
    with pytest.raises(EvidenceAwayError, match="other bytes"):
        storage.put(KEY, source, hashlib.sha256(b"what was meant").hexdigest())
    assert s3.keys() == []


def test_objects_lie_below_the_prefix_and_what_is_beside_it_is_nobodys_business(s3, tmp_path):
    storage = S3Storage(s3.settings(prefix="county/1/"), SystemClock())
    s3.client().put_object(Bucket=BUCKET, Key="county/2/theirs", Body=b"?")
    storage.put(KEY, *written(tmp_path, CLIP))
    assert s3.keys() == [f"county/1/{KEY}", "county/2/theirs"]
    assert [kept.key for kept in storage.kept()] == [KEY]


@pytest.mark.parametrize("clip", [CLIP, LONG], ids=["short", "in parts"])
def test_the_server_is_asked_to_encrypt_where_that_is_wanted(moto_server, tmp_path, clip):
    moto_server.empty()
    told = moto_server.settings(encryption="aws:kms", kms_key="alias/evidence")
    S3Storage(told, SystemClock()).put(KEY, *written(tmp_path, clip))
    said = moto_server.client().head_object(Bucket=BUCKET, Key=told.prefix + KEY)
    assert (said["ServerSideEncryption"], said["SSEKMSKeyId"]) == ("aws:kms", "alias/evidence")


def test_a_wrong_key_is_said_without_the_key(seaweed, tmp_path, caplog):
    storage = S3Storage(seaweed.settings(secret_key=SecretStr("wrong-secret")), SystemClock())
    with pytest.raises(EvidenceAwayError) as refused:
        storage.put(KEY, *written(tmp_path, CLIP))
    assert "SignatureDoesNotMatch" in str(refused.value)
    assert not storage.works
    for secret in ("wrong-secret", SECRET_KEY):
        assert secret not in caplog.text + str(refused.value) + repr(seaweed.settings())


def test_https_is_spoken_with_who_is_vouched_for_and_nobody_else(tmp_path):
    with running_moto(tmp_path, tls=True) as server:
        source, sha256 = written(tmp_path, CLIP)
        with pytest.raises(EvidenceAwayError, match="SSLError"):
            S3Storage(server.settings(), SystemClock()).put(KEY, source, sha256)
        storage = S3Storage(server.settings(ca_file=server.ca_file), SystemClock())
        storage.put(KEY, source, sha256)
        assert whole(storage, KEY, len(CLIP)) == CLIP


def test_a_bucket_that_is_not_there_is_away_not_gone(moto_server, tmp_path):
    storage = S3Storage(moto_server.settings(bucket="another-bucket"), SystemClock())
    with pytest.raises(EvidenceAwayError, match="NoSuchBucket"):
        storage.put(KEY, *written(tmp_path, CLIP))


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (507, "XMinioStorageFull", "XMinioStorageFull"),
        (400, "XMinioAdminBucketQuotaExceeded", "XMinioAdminBucketQuotaExceeded"),
        (403, "AccessDenied", "AccessDenied"),
        (503, "SlowDown", "SlowDown"),
        (0, "", "ReadTimeoutError"),
    ],
)
def test_a_bucket_that_is_full_or_refuses_or_hangs_is_away_with_its_code(
    tmp_path, status, code, said
):
    source, sha256 = written(tmp_path, CLIP)
    with refusing_s3(status, code) as endpoint:
        told = settings_of(endpoint, read_timeout_s=0.3, attempts=2)
        storage = S3Storage(told, SystemClock())
        with pytest.raises(EvidenceAwayError) as refused:
            storage.put(KEY, source, sha256)
    assert str(refused.value) == f"evidence: S3: {said}"  # and none of the server's own words
    assert not storage.works
    assert source.read_bytes() == CLIP


def test_an_object_that_somebody_shortened_is_gone_and_s3_is_not_away(s3, tmp_path):
    storage = S3Storage(s3.settings(), SystemClock())
    s3.client().put_object(Bucket=BUCKET, Key=s3.settings().prefix + KEY, Body=b"short")
    with pytest.raises(NotFoundError):
        storage.open(KEY, Span(1000, 1999))
    assert storage.works


def test_one_that_was_away_is_left_alone_for_ten_seconds_and_then_asked(s3, tmp_path):
    clock = FakeClock(NOW)
    link = CuttingLink(int(s3.endpoint.rsplit(":", 1)[1]), [100])
    try:
        storage = S3Storage(s3.settings(endpoint=link.url), clock)
        source, sha256 = written(tmp_path, CLIP)
        for wait_s in (0, 9.9):
            clock.advance(wait_s)
            with pytest.raises(EvidenceAwayError):
                storage.put(KEY, source, sha256)
        assert (link.cuts, link.up_bytes, storage.works) == (1, 100, False)
        clock.advance(0.1)
        storage.put(KEY, source, sha256)
        assert storage.works
    finally:
        link.close()


def test_a_line_that_breaks_on_the_way_is_tried_again_within_the_put(s3, tmp_path):
    link = CuttingLink(int(s3.endpoint.rsplit(":", 1)[1]), [200_000, PART_BYTES + 5_000_000])
    try:
        storage = S3Storage(s3.settings(endpoint=link.url, attempts=3), SystemClock())
        storage.put(KEY, *written(tmp_path, LONG))
        assert link.cuts == 2
        assert whole(storage, KEY, len(LONG)) == LONG
    finally:
        link.close()


def test_parts_that_nobody_finished_are_dropped_once_they_are_old(seaweed, tmp_path):
    storage, clock = S3Storage(seaweed.settings(), SystemClock()), SystemClock()
    client = seaweed.client()
    begun = client.create_multipart_upload(Bucket=BUCKET, Key=seaweed.settings().prefix + KEY)
    client.upload_part(
        Bucket=BUCKET, Key=begun["Key"], UploadId=begun["UploadId"], PartNumber=1, Body=CLIP
    )
    assert storage.end_unfinished(clock.now() - timedelta(days=1)) == 0
    assert storage.end_unfinished(clock.now() + timedelta(minutes=1)) == 1
    assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET)


def test_a_server_that_is_killed_in_the_midst_of_a_put_takes_it_when_it_is_back(tmp_path):
    home = tmp_path / "seaweed"
    home.mkdir()
    with running_seaweed(home) as server:
        link = CuttingLink(int(server.endpoint.rsplit(":", 1)[1]))
        storage = S3Storage(server.settings(endpoint=link.url), SystemClock())
        source, sha256 = written(tmp_path, LONG)
        failed: list[Exception] = []

        def put() -> None:
            try:
                storage.put(KEY, source, sha256)
            except EvidenceAwayError as error:
                failed.append(error)

        putting = threading.Thread(target=put)
        putting.start()
        wait_until(lambda: link.up_bytes > PART_BYTES)
        server.kill()
        putting.join()
        link.close()
        assert len(failed) == 1
        server.start()
        assert server.keys() == []
        again = S3Storage(server.settings(), SystemClock())
        again.put(KEY, source, sha256)
        server.kill()
        server.start()
        assert whole(again, KEY, len(LONG)) == LONG
        shutil.rmtree(home / "data", ignore_errors=True)
