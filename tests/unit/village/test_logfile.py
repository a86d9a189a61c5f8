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
