from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.previews.cache import Place, PreviewCache

FILES = [Path(f"/{letter}.mp4") for letter in "abc"]
PLACES = st.builds(Place, st.sampled_from(FILES), st.integers(0, 4), st.sampled_from([160, 320]))


@given(st.lists(st.tuples(PLACES, st.binary(max_size=60))))
def test_it_never_holds_more_than_it_may_and_what_it_holds_is_the_newest(puts):
    cache = PreviewCache(100)
    for place, jpeg in puts:
        cache.put(place, jpeg)
        assert cache.size_bytes <= 100
        assert cache.get(place) == jpeg
    kept = {place: jpeg for place, jpeg in puts if cache.get(place) is not None}
    assert all(cache.get(place) == jpeg for place, jpeg in kept.items())
    assert cache.size_bytes == sum(map(len, kept.values()))
    assert len(cache) == len(kept)


@given(st.lists(st.tuples(PLACES, st.binary(max_size=9))), st.sets(st.sampled_from(FILES)))
def test_of_a_file_that_is_gone_nothing_is_kept(puts, standing):
    cache = PreviewCache(1000)
    for place, jpeg in puts:
        cache.put(place, jpeg)
    cache.keep_only(standing.__contains__)
    for place, _ in puts:
        assert (cache.get(place) is not None) == (place.path in standing)


def test_what_was_used_longest_ago_goes_first():
    cache = PreviewCache(2)
    first, second, third = (Place(FILES[0], offset, 160) for offset in range(3))
    cache.put(first, b"1")
    cache.put(second, b"2")
    cache.get(first)
    cache.put(third, b"3")
    assert [cache.get(each) for each in (first, second, third)] == [b"1", None, b"3"]


def test_what_is_larger_than_all_the_room_is_not_kept_and_pushes_nothing_out():
    cache = PreviewCache(2)
    small, large = Place(FILES[0], 0, 160), Place(FILES[0], 1, 160)
    cache.put(small, b"1")
    cache.put(large, b"123")
    assert (cache.get(small), cache.get(large)) == (b"1", None)
    cache.clear()
    assert (len(cache), cache.size_bytes) == (0, 0)
