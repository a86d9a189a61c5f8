"""What a tree of processes costs, read from /proc: CPU time and proportional memory."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """A tree at one moment. ``cpu_s`` is user + system since each began, dead children included.

    ``pss_bytes`` is proportional: a page that n processes share counts 1/n in each.
    """

    cpu_s: float
    pss_bytes: int
    processes: int


@dataclass(frozen=True, slots=True)
class _Stat:
    pid: int
    parent: int
    ticks: int  # own user and system time, and that of children it has waited for


def tree(roots: Iterable[int], *, proc: Path = PROC) -> tuple[int, ...]:
    """Return ``roots`` that live and all their living descendants, sorted."""
    return tuple(sorted(_tree(roots, proc)))


def children(parent: int, *, proc: Path = PROC) -> tuple[int, ...]:
    """Return the living processes whose parent is ``parent``, sorted."""
    return tuple(sorted(stat.pid for stat in _everyone(proc).values() if stat.parent == parent))


def usage(roots: Iterable[int], *, proc: Path = PROC) -> Usage:
    """Return what the trees below ``roots`` use; a process that ends meanwhile counts nothing.

    The difference of two readings is right while the roots live: what a child used moves to its
    parent's account when the parent waits for it.
    """
    stats = _tree(roots, proc)
    return Usage(
        cpu_s=sum(stat.ticks for stat in stats.values()) / _TICKS_PER_S,
        pss_bytes=sum(_pss_bytes(proc / str(pid)) for pid in stats),
        processes=len(stats),
    )


def rss_bytes(pid: int, *, proc: Path = PROC) -> int:
    """Return a process's resident memory; 0 where it has ended."""
    try:
        pages = int((proc / str(pid) / "statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _tree(roots: Iterable[int], proc: Path) -> dict[int, _Stat]:
    everyone = _everyone(proc)
    children: dict[int, list[int]] = {}
    for stat in everyone.values():
        children.setdefault(stat.parent, []).append(stat.pid)
    members: dict[int, _Stat] = {}
    waiting = [pid for pid in roots if pid in everyone]
    while waiting:
        pid = waiting.pop()
        if pid not in members:
            members[pid] = everyone[pid]
            waiting += children.get(pid, [])
    return members


def _everyone(proc: Path) -> dict[int, _Stat]:
    found = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            stat = _stat(folder)
            if stat is not None:
                found[stat.pid] = stat
    return found


def _stat(folder: Path) -> _Stat | None:
    try:
        text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:  # it ended meanwhile
        return None
    # The name is in brackets and may itself hold spaces and brackets (proc(5)).
    fields = text[text.rindex(")") + 2 :].split()
    return _Stat(
        pid=int(folder.name), parent=int(fields[1]), ticks=sum(int(part) for part in fields[11:15])
    )


def _pss_bytes(folder: Path) -> int:
    try:
        text = (folder / "smaps_rollup").read_text(encoding="ascii")
    except OSError:  # it ended meanwhile, or is a kernel thread
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
