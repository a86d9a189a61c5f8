import threading

from edge.background import BackgroundThread


def test_closing_tells_the_work_to_stop_and_waits_for_it():
    ended = threading.Event()

    def work() -> None:
        thread.stopping.wait()
        ended.set()

    thread = BackgroundThread("tests", work)
    thread.start()
    assert not ended.is_set()
    thread.close()
    thread.close()
    assert ended.is_set()


def test_work_that_does_not_stop_is_left_once_the_time_is_up():
    hangs = threading.Event()
    thread = BackgroundThread("tests", hangs.wait)
    thread.start()
    thread.close(timeout_s=0.01)
    assert thread.stopping.is_set()
    hangs.set()
    thread.close()


def test_one_that_was_never_started_may_be_closed():
    BackgroundThread("tests", lambda: None).close()
