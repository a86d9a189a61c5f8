import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from village.toml import dumps


def test_tables_lists_of_tables_and_values_come_back():
    document = {
        "name": '探哨 "1" \\ \x7f\n',
        "path": Path("/a/b c"),
        "day": date(2026, 1, 1),
        "on": True,
        "fps": 2.0,
        "box": {"id": "a", "inner": {"x": 1}},
        "cameras": [
            {"id": "1", "rules": [{"id": "r", "levels": {"ordinary": 3}}]},
            {"id": "2", "polygon": [[0.0, 0.5], [1.0, 0.5]], "none": []},
        ],
    }
    assert tomllib.loads(dumps(document)) == {**document, "path": "/a/b c"}


def test_a_key_that_is_not_bare_is_quoted():
    assert tomllib.loads(dumps({"a b": 1, "村": {"c.d": 2}})) == {"a b": 1, "村": {"c.d": 2}}


scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
)
keys = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(scalars, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(keys, values, max_size=4))
def test_whatever_is_written_is_read_back(document):
    assert tomllib.loads(dumps(document)) == document


@pytest.mark.parametrize("value", [[{"a": 1}, {"b": [{"c": 2}]}], [[1], ["x"]]])
def test_lists_keep_their_order(value):
    assert tomllib.loads(dumps({"k": value})) == {"k": value}
