"""A path that the relay lets through is the path that the box's parser sees."""

import re
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from protocol.relay import EdgePath

ADAPTER = TypeAdapter(EdgePath)


@given(st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=60))
def test_what_is_let_through_is_not_read_as_another_path(tail):
    try:
        path = ADAPTER.validate_python("/v1/" + tail)
    except ValidationError:
        return
    url = httpx.URL("http://127.0.0.1:1" + path)
    assert (url.host, url.port, url.fragment) == ("127.0.0.1", 1, "")
    assert url.path.startswith("/v1/")
    assert not re.search(r"(^|/)\.{1,2}(/|$)|//|\\", url.path)


@given(st.lists(st.text(min_size=1, max_size=10), min_size=1, max_size=4))
def test_escaped_segments_of_letters_pass(segments):
    path = "/v1/" + "/".join(
        quote("a" + re.sub(r"[/\\\x00-\x1f\x7f]", "", s), safe="") for s in segments
    )
    assert ADAPTER.validate_python(path) == path


@pytest.mark.parametrize("path", ["/v1", "/v2/x", "v1/x", "//v1/x", "/v1/?", "/v1/a b", "/v1/é"])
def test_what_is_outside_is_refused(path):
    with pytest.raises(ValidationError):
        ADAPTER.validate_python(path)
