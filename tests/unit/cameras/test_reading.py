import pytest

from edge.cameras import reading, soap


def test_a_tree_has_children_attributes_and_lists_by_their_names():
    root = soap.parsed(
        b'<a xmlns="u:1" xmlns:b="u:2" b:token="t"><c>1</c><b:c>2</b:c><c>3</c><d><e/></d></a>'
    )
    assert reading.tree(root) == {"token": "t", "c": ["1", "2", "3"], "d": {"e": ""}}


@pytest.mark.parametrize("value", [None, "x", 3, [], {}, {"a": None}, {"a": {"c": 1}}])
def test_what_is_missing_is_nothing(value):
    assert reading.at(value, "a", "b") is None
    assert reading.text(value, "a", "b") == ""
    assert reading.number(value, "a", "b") is None
    assert reading.items(value, "a", "b") == []


def test_texts_are_of_one_line_and_bounded():
    assert reading.text({"a": " Ex\x00am\nple \u202e"}, "a") == "Ex am ple"
    assert len(reading.text({"a": "x" * 10_000}, "a")) == 256
    assert reading.text({"a": 3}, "a") == "3"


def test_a_token_goes_back_as_it_came_or_not_at_all():
    assert reading.exact({"a": " Profile 1 "}, "a") == " Profile 1 "
    assert reading.exact({"a": "x" * 257}, "a") == ""
    assert reading.exact({"a": 1}, "a") == ""


@pytest.mark.parametrize(
    ("given", "number", "whole"),
    [
        *((25, 25.0, 25), ("12.5", 12.5, 12), ("-1", -1.0, None), (1e300, 1e300, None)),
        *((True, None, None), ("x", None, None), ("nan", None, None), ("1e999", None, None)),
        (10**400, None, None),
    ],
)
def test_numbers_are_finite_or_nothing(given, number, whole):
    assert reading.number({"a": given}, "a") == number
    assert reading.whole({"a": given}, "a") == whole


def test_one_thing_is_a_list_of_one_and_a_long_list_is_cut():
    assert reading.items({"a": {"b": 1}}, "a") == [{"b": 1}]
    assert reading.items({"a": "x"}, "a") == ["x"]
    assert reading.items({"a": [1, None, 2]}, "a") == [1, 2]
    assert len(reading.items({"a": list(range(1000))}, "a")) == 64
