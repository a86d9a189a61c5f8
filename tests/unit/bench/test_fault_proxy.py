import random
import socket
import threading
from contextlib import contextmanager

import pytest

from bench.fault_proxy import Character, FaultProxy
from tests.support.waiting import wait_until


class Echo:
    """A server that sends back what it gets and remembers how its connections ended."""

    def __init__(self):
        self.got = []
        self.ends = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._connections = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self):
        threads = []
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                break
            self._connections.append(connection)
            threads.append(threading.Thread(target=self._serve, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _serve(self, connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    self.got.append(data)
                    connection.sendall(data)
                self.ends.append("closed")
            except OSError:
                self.ends.append("reset")

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._thread.join()


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo):
    with FaultProxy(echo.port, random.Random(7)) as running:
        yield running


@contextmanager
def client(proxy):
    with socket.create_connection((proxy.host, proxy.port), timeout=10) as end:
        yield end


def ask(end, words=b"hello"):
    end.sendall(words)
    return end.recv(65536)


def is_reset(end):
    try:
        return end.recv(65536) == b"" and False
    except ConnectionResetError:
        return True


def is_refused(proxy):
    """Whether a newcomer is reset: as it connects, or right after."""
    try:
        with client(proxy) as end:
            return is_reset(end)
    except ConnectionResetError:
        return True


def says_nothing(end):
    end.settimeout(0.2)
    try:
        end.recv(65536)
    except TimeoutError:
        return True
    finally:
        end.settimeout(10)
    return False


def test_a_link_without_faults_carries_both_ways_and_its_end(proxy, echo):
    with client(proxy) as end:
        assert ask(end) == b"hello"
        assert proxy.connections == 1
    wait_until(lambda: echo.ends == ["closed"])
    wait_until(lambda: proxy.connections == 0)


def test_a_slow_link_loses_nothing_and_keeps_the_order(proxy):
    proxy.become(Character(delay_s=0.01, jitter_s=0.01, bytes_per_s=400_000))
    sent = bytes(range(256)) * 400
    came = b""
    with client(proxy) as end:
        writer = threading.Thread(target=end.sendall, args=(sent,))
        writer.start()
        while len(came) < len(sent):
            came += end.recv(65536)
        writer.join()
    assert came == sent


def test_a_stalled_link_delivers_when_it_flows_again(proxy, echo):
    with client(proxy) as end:
        assert ask(end) == b"hello"
        proxy.stall()
        end.sendall(b"later")
        assert says_nothing(end)
        assert echo.got == [b"hello"]
        proxy.flow()
        assert end.recv(65536) == b"later"


def test_a_reset_is_felt_at_both_ends(proxy, echo):
    with client(proxy) as end:
        assert ask(end) == b"hello"
        proxy.reset()
        assert is_reset(end)
    wait_until(lambda: echo.ends == ["reset"])


def test_a_cut_lets_through_a_part_of_what_comes_next_and_then_resets(proxy, echo):
    with client(proxy) as end:
        assert ask(end) == b"hello"
        proxy.cut()
        end.sendall(b"x" * 1000)
        assert is_reset(end)
    wait_until(lambda: echo.ends == ["reset"])
    assert len(b"".join(echo.got[1:])) < 1000


def test_a_half_open_connection_looks_alive_to_both_ends(proxy, echo):
    with client(proxy) as end:
        assert ask(end) == b"hello"
        proxy.leave_half_open()
        end.sendall(b"into the void")
        assert says_nothing(end)
    with client(proxy) as fresh:
        assert ask(fresh, b"a new one") == b"a new one"
    wait_until(lambda: echo.ends == ["closed"])  # the new one's; the old one's end never came
    assert echo.got == [b"hello", b"a new one"]
    wait_until(lambda: proxy.connections == 1)


def test_a_link_that_refuses_lets_nobody_new_in_and_keeps_who_is_there(proxy):
    with client(proxy) as early:
        assert ask(early) == b"hello"
        proxy.refuse(on=True)
        assert is_refused(proxy)
        assert ask(early) == b"hello"
        proxy.refuse(on=False)
        with client(proxy) as later:
            assert ask(later) == b"hello"


def test_a_target_that_is_gone_resets_who_comes():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with FaultProxy(port, random.Random(7)) as proxy:
        assert is_refused(proxy)


def test_a_taken_port_is_said(proxy):
    with pytest.raises(OSError, match="in use"), FaultProxy(1, random.Random(1), port=proxy.port):
        pass
