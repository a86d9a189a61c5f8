from hypothesis import given
from hypothesis import strategies as st

from edge.errors import MediaError
from edge.media import nal
from edge.media.nal import NalRole
from edge.media.parameters import ParameterCollector, mime_codec
from edge.media.sample import Codec
from tests.support.packets import access_units

codecs = st.sampled_from(Codec)


def real_units(codec: Codec) -> list[bytes]:
    return nal.split(access_units(codec, 1, 1)[0][0])


@given(st.lists(st.binary(min_size=1, max_size=30).map(lambda unit: unit.replace(b"\0", b"\1"))))
def test_units_that_are_put_together_come_apart_again(units):
    data = b"".join(b"\x00\x00\x01" + unit for unit in units)

    assert nal.split(data) == units


@given(codecs, st.binary(max_size=200))
def test_any_bytes_are_a_picture_or_a_media_error(codec, data):
    try:
        picture = nal.picture(codec, data)
    except MediaError:
        return
    assert 0 < picture.width <= nal.MAX_SIDE_PX
    assert 0 < picture.height <= nal.MAX_SIDE_PX


@given(codecs, st.data())
def test_a_mutated_sps_is_a_picture_or_a_media_error(codec, data):
    sps = next(u for u in real_units(codec) if nal.role(codec, u) is NalRole.SPS)
    mutated = bytearray(sps)
    for at in data.draw(st.lists(st.integers(1, len(sps) - 1), min_size=1, max_size=6)):
        mutated[at] = data.draw(st.integers(0, 255))
    try:
        nal.picture(codec, bytes(mutated))
    except MediaError:
        return


@given(codecs, st.binary(max_size=400), st.binary(max_size=200))
def test_a_collector_takes_any_bytes_or_raises_a_media_error(codec, packet, extradata):
    for give in (
        lambda: ParameterCollector(codec, extradata),
        lambda: ParameterCollector(codec, b"\x01" + extradata),
        lambda: ParameterCollector(codec).absorb(packet),
        lambda: ParameterCollector(codec).absorb(b"\x00\x00\x01" + packet),
        lambda: mime_codec(codec, extradata),
    ):
        try:
            give()
        except MediaError:
            continue
