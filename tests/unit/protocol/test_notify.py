import socket
from pathlib import Path

from protocol.notify import ServiceNotifier


def test_states_reach_the_socket_that_systemd_named(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(path))
        systemd.settimeout(5)
        notifier = ServiceNotifier(str(path))
        notifier.ready()
        notifier.alive()
        notifier.stopping()
        received = [systemd.recv(64) for _ in range(3)]
    assert received == [b"READY=1", b"WATCHDOG=1", b"STOPPING=1"]


def test_without_systemd_nothing_is_sent_and_nothing_fails(tmp_path: Path) -> None:
    ServiceNotifier("").ready()
    ServiceNotifier(str(tmp_path / "gone")).ready()
