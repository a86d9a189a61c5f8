"""The picture process: whatever it is given, the box goes on."""

import os
import random
import signal
import socket
import sys
import threading
from dataclasses import replace

import pytest

from edge.errors import MediaError
from edge.media.sample import Codec
from edge.previews import child
from edge.previews.process import PictureProcess
from edge.previews.wire import Question
from tests.support.footage import encoded
from tests.support.recordings import until


def question(codec: Codec = Codec.H264) -> Question:
    key = encoded(frames=1, gop=1, codec=codec)[0]
    return Question(codec, 160, 90, 2400, key.run.parameters.extradata, key.data)


def test_one_process_makes_all_pictures_behind_everybody_else(process):
    assert process.pid is None  # none before it is needed
    first = process.picture(question())
    pid = process.pid
    assert first[:2] == b"\xff\xd8"
    assert process.picture(question()) == first
    assert process.pid == pid
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10


def test_a_process_that_was_killed_is_started_again(process):
    process.picture(question())
    pid = process.pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert process.picture(question())[:2] == b"\xff\xd8"
    assert process.pid != pid


def test_a_process_that_hangs_is_killed_and_the_next_picture_is_made():
    hangs = PictureProcess((sys.executable, "-c", "import signal; signal.pause()"), limit_s=0.1)
    with pytest.raises(MediaError, match=r"within 0\.1 s"):
        hangs.picture(question())
    assert hangs.pid is None


def test_a_process_that_crashes_is_an_error():
    crashes = PictureProcess((sys.executable, "-c", "import os; os.abort()"))
    with pytest.raises(MediaError, match="the picture process failed"):
        crashes.picture(question())
    assert crashes.pid is None


def test_a_program_that_is_not_there_is_an_error():
    with pytest.raises(MediaError):
        PictureProcess(("/no/such/program",)).picture(question())


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_mutated_key_frames_are_pictures_or_errors_and_never_a_crash(process, codec):
    good = question(codec)
    process.picture(good)
    pid = process.pid
    chance = random.Random(7)
    refused = 0
    for _ in range(150):
        data, extradata = bytearray(good.data), bytearray(good.extradata)
        for _ in range(chance.randint(1, 12)):
            part = chance.choice((data, data, extradata))
            part[chance.randrange(len(part))] = chance.randrange(256)
        end = chance.choice((len(data), chance.randrange(len(data))))
        try:
            process.picture(replace(good, data=bytes(data[:end]), extradata=bytes(extradata)))
        except MediaError:
            refused += 1
    assert refused > 0
    assert process.picture(good)[:2] == b"\xff\xd8"
    assert process.pid == pid


def test_a_picture_that_claims_to_be_enormous_is_refused():
    huge = encoded(frames=1, gop=1, width=8256, height=4640)[0]
    parameters = huge.run.parameters
    with pytest.raises(MediaError):
        child.picture(Question(Codec.H264, 160, 90, 2400, parameters.extradata, huge.data))


def test_a_detailed_picture_is_made_coarser_until_it_is_small_enough():
    key = question()
    small, large = (child.picture(replace(key, max_bytes=size)) for size in (1, 100_000))
    assert len(small) <= len(large)


def test_the_process_ends_with_its_parent():
    ours, theirs = socket.socketpair()
    serving = threading.Thread(target=child.serve, args=(theirs,))
    serving.start()
    ours.close()
    serving.join(5)
    assert not serving.is_alive()
    theirs.close()


def test_a_decoder_that_hangs_ends_by_itself_where_the_box_that_would_kill_it_was_killed():
    code = (
        "import signal; from edge.previews import child; child.LONGEST_S = 0.1;"
        "child.picture = lambda _: signal.pause(); child.main()"
    )
    hangs = PictureProcess((sys.executable, "-c", code), limit_s=20)
    with pytest.raises(MediaError, match="the picture process failed"):
        hangs.picture(question())


def test_closing_does_not_wait_for_a_picture_that_hangs():
    hangs = PictureProcess((sys.executable, "-c", "import signal; signal.pause()"), limit_s=600)
    said = []

    def ask() -> None:
        try:
            hangs.picture(question())
        except MediaError as error:
            said.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: hangs.pid is not None)
    hangs.close()
    asking.join(10)
    assert len(said) == 1
    with pytest.raises(MediaError, match="the box stops"):
        hangs.picture(question())
