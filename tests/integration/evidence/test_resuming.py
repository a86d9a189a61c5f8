"""Evidence over a link that dies again and again, to a real centre."""

import hashlib
import random

import pytest

from protocol.clock import SystemClock
from protocol.messages import EvidenceKind
from tests.support.cutting_link import CuttingLink
from tests.support.evidence_line import Camera, evidence_line
from tests.support.waiting import wait_until

CUTS = 50
CLIP_BYTES = 20_000_000
#: What may go twice: what is under way when the link breaks and nobody has written down yet.
LOST_A_CUT_BYTES = 100_000


@pytest.mark.parametrize("seed", [1, 2])
def test_a_clip_that_is_cut_fifty_times_arrives_whole_and_hardly_a_byte_of_it_twice(tmp_path, seed):
    chance = random.Random(seed)
    clip = chance.randbytes(CLIP_BYTES)
    places = chance.sample(range(1, CLIP_BYTES), CUTS)
    with evidence_line(tmp_path) as line:
        link = CuttingLink(line.port, places)
        with line.box(link.url, SystemClock()) as box:
            alert = box.alert()
            box.courier(Camera(b"\xff\xd8 a picture", clip)).start()
            wait_until(lambda: box.store.pending() == 0, 120)
            assert [row["failed"] for row in box.box.rows("select failed from evidence")] == [
                None,
                None,
            ]
        link.close()
        stored = line.stored()[alert, EvidenceKind.CLIP]
        assert hashlib.sha256(stored[:CLIP_BYTES]).digest() == hashlib.sha256(clip).digest()
        assert link.cuts == CUTS
        assert link.up_bytes < CLIP_BYTES + CUTS * LOST_A_CUT_BYTES
        assert not list((line.evidence / ".partial").iterdir())
