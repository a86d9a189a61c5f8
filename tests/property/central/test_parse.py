import json

from hypothesis import given
from hypothesis import strategies as st

from central.ingest.parse import Place, Refused, Understood, understand
from central.ledger.chain import ROOT, Entry, first_break, link
from central.ports import Received
from central.wall.feed import Cursor
from protocol.codec import encode
from tests.support.xiacun import NOW, OUTBOX, REGION, alert_data, alert_message, received

TOPICS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            f"tanshao/v1/{REGION}/xiacun-1/{leaf}"
            for leaf in ("event", "historical", "state", "heartbeat", "receipt")
        ]
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@given(TOPICS, st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_on_any_topic_are_understood_or_refused(topic, payload):
    answer = understand(Received(topic, payload, NOW))
    assert isinstance(answer, Understood | Refused)
    if answer.place is not None:
        assert 1 <= answer.place.sequence < 2**63


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=3))
def test_a_damaged_alert_never_raises(place, bytes_put):
    message = received(alert_message(alert_data(), 5))
    payload = message.payload
    place %= len(payload)
    damaged = payload[:place] + bytes_put + payload[place + len(bytes_put) :]
    assert understand(Received(message.topic, damaged, NOW)).topic is not None


@given(st.integers(1, 2**63 - 1))
def test_the_place_of_a_broken_alert_is_read(sequence):
    document = json.loads(encode(alert_message(alert_data(), sequence)))
    del document["data"]["kind"]
    topic = f"tanshao/v1/{REGION}/xiacun-1/event"
    answer = understand(Received(topic, json.dumps(document).encode(), NOW))
    assert (isinstance(answer, Refused), answer.place) == (True, Place(OUTBOX, sequence))


@given(st.builds(Cursor, st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)))
def test_a_cursor_survives_the_browser(cursor):
    assert Cursor.parse(str(cursor)) == cursor


@given(st.text(max_size=40))
def test_no_words_make_a_cursor_raise(words):
    cursor = Cursor.parse(words)
    assert cursor is None or cursor.xid >= 0


ENTRIES = st.lists(
    st.builds(
        Entry,
        st.text(max_size=4),
        st.just(NOW),
        st.text(max_size=4),
        note=st.text(max_size=6),
    ),
    max_size=6,
)


def chained(entries):
    links, previous = [], None
    for entry in entries:
        previous = link(previous, entry)
        links.append(previous)
    return links


@given(ENTRIES)
def test_an_untouched_chain_holds(entries):
    links = chained(entries)
    assert first_break(links) is None
    assert not links or links[0].prev_hash == ROOT


@given(ENTRIES.filter(lambda entries: len(entries) >= 2), st.data())
def test_taking_out_any_but_the_last_breaks_the_chain(entries, data):
    links = chained(entries)
    place = data.draw(st.integers(0, len(links) - 2))
    assert first_break(links[:place] + links[place + 1 :]) == place + 1


@given(ENTRIES.filter(bool), st.data())
def test_changing_any_entry_breaks_the_chain(entries, data):
    links = chained(entries)
    place = data.draw(st.integers(0, len(links) - 1))
    other = chained([*entries[:place], Entry("x", NOW, "changed-action")])[place]
    forged = type(other)(
        links[place].position, other.entry, links[place].prev_hash, links[place].hash
    )
    assert first_break([*links[:place], forged, *links[place + 1 :]]) == place + 1
