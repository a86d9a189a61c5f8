from dataclasses import replace

import av
import numpy as np
import pytest

from edge.detect import wire
from edge.detect.decoder import Decoder
from edge.detect.frame import planes
from edge.media.sample import TICKS_PER_S, Codec
from tests.support.footage import encoded

FPS = 25


def stream(samples, people=0.5, fire=0.0, *, health=False):
    parameters = samples[0].run.parameters
    rate = wire.Rate(people, fire)
    return wire.Stream(0, bytes(16), parameters.codec.value, rate, health, parameters.extradata)


def units(samples):
    return [wire.Unit(0, each.dts_90k, each.pts_90k, each.is_key, each.data) for each in samples]


def filmed(samples):
    """Return the brightness of every picture, all of them decoded one after the other."""
    parameters = samples[0].run.parameters
    context = av.CodecContext.create({"h265": "hevc"}.get(parameters.codec, "h264"), "r")
    assert isinstance(context, av.VideoCodecContext)
    context.extradata = parameters.extradata
    found = []
    for data in [*(each.data for each in samples), None]:
        found += [luma_of(frame) for frame in context.decode(data and av.Packet(data))]
    return found


def luma_of(frame):
    return float(np.median(planes(frame)[0]))


def looked_at(decoder, given):
    """Return which pictures are looked at, each with the brightness that was decoded."""
    found = []
    for unit in given:
        for frame in decoder.take(unit):
            wanted = decoder.wants(frame.pts)
            judged = decoder.is_judged(frame.pts)
            if wanted.people or wanted.fire or judged:
                number = frame.pts * FPS // TICKS_PER_S
                found.append((number, luma_of(frame)))
    return found


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("fps", [0.5, 2, 25])
def test_what_is_looked_at_is_what_was_filmed_however_little_is_decoded(codec, fps):
    samples = encoded(frames=200, gop=50, codec=codec)
    decoder = Decoder(stream(samples, people=fps))
    found = looked_at(decoder, units(samples))
    assert len(found) >= {0.5: 4, 2: 16, 25: 200}[fps]
    truth = filmed(samples)
    assert found == [(number, truth[number]) for number, _ in found]


def test_a_calm_camera_with_a_key_frame_every_two_seconds_is_decoded_no_further():
    samples = encoded(frames=500, gop=50)
    decoder = Decoder(stream(samples, people=0.5, fire=0.5, health=True))
    decoder.ease(is_at_ease=True)
    found = looked_at(decoder, units(samples))
    assert [number for number, _ in found][-7:] == list(range(150, 500, 50))
    # All that is decoded before it is known how often key frames come is one group.
    assert decoder.decoded < 70


def test_a_camera_that_shows_something_odd_is_judged_every_second():
    samples = encoded(frames=300, gop=50)
    decoder = Decoder(stream(samples, people=0.5, health=True))
    decoder.ease(is_at_ease=True)
    given = units(samples)
    looked_at(decoder, given[:201])
    decoder.ease(is_at_ease=False)
    assert [number for number, _ in looked_at(decoder, given[201:])] == [225, 250, 275]


def test_a_raised_rate_is_served_within_the_same_group():
    samples = encoded(frames=300, gop=50)
    decoder = Decoder(stream(samples, people=0.5))
    given = units(samples)
    looked_at(decoder, given[:210])
    decoder.pace(wire.Rate(2, 0))
    found = looked_at(decoder, given[210:225])
    assert found[0] == (213, filmed(samples)[213])


def test_what_can_not_be_decoded_costs_up_to_the_next_key_frame():
    samples = encoded(frames=100, gop=25)
    given = units(samples)
    given[30] = replace(given[30], data=b"\0\0\0\x04\xff\xff\xff\xff")
    decoder = Decoder(stream(samples, people=25))
    assert [number for number, _ in looked_at(decoder, given[:30])] == list(range(30))
    with pytest.raises(av.FFmpegError):
        looked_at(decoder, given[30:31])
    assert [number for number, _ in looked_at(decoder, given[31:])] == list(range(50, 100))


def test_b_frames_are_looked_at_in_the_order_they_are_shown():
    late = 2 * TICKS_PER_S // FPS
    samples = encoded(frames=100, gop=25)
    given = [replace(unit, pts_90k=unit.pts_90k + late) for unit in units(samples)]
    decoder = Decoder(stream(samples, people=2))
    looked_at(decoder, given)
    assert decoder.decoded == 100
