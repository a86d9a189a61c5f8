import errno
from pathlib import Path

from village.logfile import LogFile


def test_a_long_log_is_turned_over_and_old_ones_go(tmp_path):
    path = tmp_path / "log" / "a.log"
    with LogFile(path, limit_bytes=25, keep=2) as log:
        for number in range(10):
            log.write(b"line %d ....\n" % number)
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.log", "a.log.1", "a.log.2"]
    assert path.read_bytes() == b"line 9 ....\n"
    assert path.with_name("a.log.1").read_bytes() == b"line 6 ....\nline 7 ....\nline 8 ....\n"
    assert path.with_name("a.log.2").read_bytes() == b"line 3 ....\nline 4 ....\nline 5 ....\n"


def test_an_old_log_is_continued(tmp_path):
    for line in (b"a\n", b"b\n"):
        with LogFile(tmp_path / "a.log") as log:
            log.write(line)
    assert (tmp_path / "a.log").read_bytes() == b"a\nb\n"


def test_what_the_disk_refuses_is_counted_and_stops_nobody(tmp_path):
    log = LogFile(tmp_path / "a.log")
    log.close()
    log.write(b"lost\n")
    assert log.dropped == 1


def test_a_log_that_could_not_be_turned_over_goes_on_once_there_is_room(tmp_path, monkeypatch):
    with LogFile(tmp_path / "a.log", limit_bytes=10) as log:
        with monkeypatch.context() as full:
            full.setattr(Path, "open", no_room)
            log.write(b"before ....\n")
            log.write(b"lost\n")
        log.write(b"after\n")
        assert log.dropped == 1
    assert (tmp_path / "a.log.1").read_bytes() == b"before ....\n"
    assert (tmp_path / "a.log").read_bytes() == b"after\n"


def no_room(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")
