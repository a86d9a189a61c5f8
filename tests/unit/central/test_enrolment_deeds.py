"""What the ledger says of a request to a box's set-up interface, and what it never says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.enrolment.deeds import Act, Deed, deed_of

SECRET = "hunter2-of-the-camera"

_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.just({"password": SECRET}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
_PATHS = st.sampled_from(
    [
        "searches",
        "probes",
        "probes/p1",
        "bulk",
        "cameras",
        "cameras/cam1",
        "cameras/cam1/replace",
        "cameras/cam1/like",
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "body", "deed"),
    [
        ("POST", "searches", {"seconds": 3}, Deed(Act.SEARCH, "", "")),
        (
            "POST",
            "probes",
            {"address": "192.168.1.64", "username": "admin", "password": SECRET},
            Deed(Act.PROBE, "", "192.168.1.64"),
        ),
        (
            "POST",
            "probes",
            {"rtsp_url": f"rtsp://admin:{SECRET}@10.0.0.9:554/a?pw={SECRET}", "camera_id": "cam1"},
            Deed(Act.PROBE, "cam1", "10.0.0.9:554"),
        ),
        ("POST", "probes", {"address": f"admin:{SECRET}@10.0.0.9"}, Deed(Act.PROBE, "", "")),
        (
            "POST",
            "cameras",
            {"probe_id": "p", "name": "村口", "place": "牌坊", "like": "cam1", "reason": "新装"},
            Deed(Act.ADD, "", "name 村口, place 牌坊, like cam1: 新装"),
        ),
        (
            "PATCH",
            "cameras/cam1",
            {"enabled": False, "retention_days": 90, "reason": "检修"},
            Deed(Act.CHANGE, "cam1", "retention_days 90, enabled False: 检修"),
        ),
        (
            "POST",
            "cameras/cam1/replace",
            {"probe_id": "p", "reason": "坏了"},
            Deed(Act.REPLACE, "cam1", "坏了"),
        ),
        (
            "POST",
            "cameras/cam2/like",
            {"camera_id": "cam1", "reason": "同一路口"},
            Deed(Act.COPY, "cam2", "like cam1: 同一路口"),
        ),
        (
            "POST",
            "bulk",
            {"csv": f"名称,密码\n村口,{SECRET}\n桥头,{SECRET}\n", "apply": True},
            Deed(Act.IMPORT, "", "2 lines"),
        ),
        ("POST", "bulk", {"csv": "名称\n村口", "apply": False}, None),
        ("DELETE", "probes/p1", {}, None),
        ("POST", "doors/open", {}, Deed(Act.OTHER, "", "POST doors/open")),
    ],
)
def test_a_deed_is_said_in_words_without_a_login(method, path, body, deed):
    assert deed_of(method, path, {}, body) == deed


def test_the_reason_of_a_removal_is_in_its_query():
    deed = deed_of("DELETE", "cameras/cam1", {"reason": "拆除\n移走"}, {})
    assert deed == Deed(Act.REMOVE, "cam1", "拆除 移走")


_LOGIN = st.fixed_dictionaries(
    {"password": st.just(SECRET), "username": st.just(SECRET), "csv": st.just(SECRET)},
    optional={
        "rtsp_url": st.sampled_from([f"rtsp://u:{SECRET}@h/a", f"rtsp://h/{SECRET}?{SECRET}"]),
        "address": st.just(f"u:{SECRET}@h"),
        "secret": st.just({"password": SECRET}),
    },
)


@given(
    st.sampled_from(["POST", "PATCH", "DELETE"]),
    _PATHS,
    st.dictionaries(st.sampled_from(["name", "reason", "place", "like", "id", "apply"]), _JSON),
    _LOGIN,
)
def test_whatever_is_sent_the_words_are_short_and_plain_and_hold_no_login(
    method, path, settings, login
):
    deed = deed_of(method, path, {}, {**settings, **login})
    if deed is not None:
        assert SECRET not in deed.words
        assert SECRET not in deed.camera_id
        assert deed.words.isprintable()
        assert len(deed.words) < 1200
