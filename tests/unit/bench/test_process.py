import os

from bench.process import Usage, children, tree, usage


def process(proc, pid, parent, *, name="sh", ticks=(0, 0, 0, 0), pss_kb=None):
    folder = proc / str(pid)
    folder.mkdir()
    before = " ".join(["0"] * 9)
    times = " ".join(map(str, ticks))
    (folder / "stat").write_text(f"{pid} ({name}) S {parent} {before} {times} 20 0 1 0\n")
    if pss_kb is not None:
        (folder / "smaps_rollup").write_text(
            f"0-1 ---p 0 00:00 0 [rollup]\nRss: 99 kB\nPss:   {pss_kb} kB\nPss_Dirty: 1 kB\n"
        )


def test_usage_adds_up_the_tree_and_nothing_else(tmp_path):
    hertz = os.sysconf("SC_CLK_TCK")
    process(tmp_path, 10, 1, ticks=(hertz, 0, 2 * hertz, 0), pss_kb=100)
    process(tmp_path, 11, 10, name="a) b (c", ticks=(0, hertz, 0, 0), pss_kb=20)
    process(tmp_path, 12, 11, ticks=(0, 0, 0, hertz))  # a kernel thread has no rollup
    process(tmp_path, 13, 1, ticks=(50 * hertz, 0, 0, 0), pss_kb=5)
    (tmp_path / "meminfo").write_text("")
    (tmp_path / "14").mkdir()  # ended between listing and reading
    assert children(10, proc=tmp_path) == (11,)
    assert tree([10], proc=tmp_path) == (10, 11, 12)
    assert usage([10], proc=tmp_path) == Usage(cpu_s=5.0, pss_bytes=120 * 1024, processes=3)


def test_a_root_that_is_gone_uses_nothing(tmp_path):
    assert usage([77], proc=tmp_path) == Usage(cpu_s=0.0, pss_bytes=0, processes=0)


def test_this_process_uses_something():
    now = usage([os.getpid()])
    assert now.processes >= 1
    assert now.pss_bytes > 1_000_000
    assert now.cpu_s > 0
