"""Whatever a camera sends, what is said of it makes sense in both languages."""

import string

from hypothesis import given
from hypothesis import strategies as st

from edge.cameras.codec_report import CodecReport
from edge.doctor.camera import Step, StreamFacts
from edge.doctor.redaction import Redaction
from edge.enrolment import advice
from edge.enrolment.errand import Space
from edge.enrolment.wording import Words
from edge.errors import CameraFault
from edge.media.sample import Codec
from protocol.relay import StreamName

WORDS = Words(Redaction(["Hunter2"]))
SOUND = CodecReport(
    codec=Codec.H264,
    mime_codec="avc1.64001f",
    width=640,
    height=360,
    fps=10,
    claimed_fps=None,
    bit_rate_bps=500_000,
    gop_s=2,
    has_b_frames=False,
    pace=None,
)
ORDER = ["must", "should", "note"]

reports = st.builds(
    CodecReport,
    codec=st.sampled_from(Codec),
    mime_codec=st.sampled_from(["avc1.64001f", "avc1.42c01e", "avc1.f4001f", "hvc1.1.6.L93.B0"]),
    width=st.integers(16, 8192),
    height=st.integers(16, 8192),
    fps=st.floats(0.1, 120),
    claimed_fps=st.none() | st.floats(1, 60),
    bit_rate_bps=st.integers(1, 200_000_000),
    gop_s=st.floats(0.01, 60),
    has_b_frames=st.booleans(),
    pace=st.none() | st.floats(0, 2),
)


def facts(stream: StreamName, **more: st.SearchStrategy) -> st.SearchStrategy[StreamFacts]:
    return st.builds(
        StreamFacts,
        stream=st.just(stream),
        host=st.just("192.0.2.10"),
        port=st.integers(1, 65535),
        has_login=st.booleans(),
        detail=st.text(st.characters(exclude_characters="{}"), max_size=40),
        status=st.none() | st.integers(100, 599),
        clock_offset_s=st.none() | st.floats(-1e9, 1e9),
        has_sound=st.booleans(),
        **more,
    )


def sound(stream: StreamName) -> st.SearchStrategy[StreamFacts]:
    return facts(stream, report=reports)


def failed(stream: StreamName) -> st.SearchStrategy[StreamFacts]:
    return facts(stream, failed=st.sampled_from(Step))


spaces = st.builds(
    Space,
    room_bytes=st.none() | st.integers(0, 10**14),
    cameras=st.integers(1, 64),
    days=st.integers(1, 3650),
)


@given(sound(StreamName.MAIN), st.none() | sound(StreamName.SUB) | failed(StreamName.SUB), spaces)
def test_advice_is_told_in_both_languages_the_worst_first(main, sub, space):
    matters = list(advice.advise(main, sub, space))
    told = [WORDS.advice(matter) for matter in matters]
    assert [each.code for each in told].count("fine") == 1
    assert told[-1].code == "fine"
    ranks = [ORDER.index(each.level) for each in told]
    assert ranks == sorted(ranks)
    for each in told:
        assert any("\u4e00" <= char <= "\u9fff" for char in each.zh)
        assert each.en
        assert not {name for _, name, _, _ in string.Formatter().parse(each.zh) if name}


@given(sound(StreamName.MAIN), st.none() | sound(StreamName.SUB), spaces)
def test_what_does_not_fit_the_disk_must_be_changed(main, sub, space):
    codes = {each.code: each.level for each in advice.advise(main, sub, space)}
    is_short = (
        space.room_bytes is not None
        and space.room_bytes / max(1, main.report.daily_bytes * space.cameras) < space.days
    )
    assert codes.get("days_short") == ("must" if is_short else None)
    assert ("sound" in codes) == (main.has_sound or (sub is not None and sub.has_sound))
    assert ("sub_absent" in codes) == (sub is None)


@given(failed(StreamName.MAIN))
def test_why_there_is_no_video_is_told_in_both_languages(main):
    matter = advice.trouble(main)
    assert matter is not None
    problem = WORDS.problem(matter)
    assert problem.kind
    assert problem.zh
    assert problem.en


def test_a_stream_that_comes_is_no_trouble():
    main = StreamFacts(StreamName.MAIN, "192.0.2.10", 554, has_login=False)
    assert advice.trouble(main) is None


@given(st.sampled_from(CameraFault), st.text(max_size=60), st.booleans())
def test_a_refusal_over_onvif_is_told_without_secrets(fault, said, has_login):
    matter = advice.unasked(fault, f"{said} Hunter2", "192.0.2.10", has_login=has_login)
    problem = WORDS.problem(matter)
    assert "Hunter2" not in problem.zh + problem.en
    assert problem.zh


def test_a_certificate_and_a_clock_that_is_ahead_have_words_of_their_own():
    for said, kind in (
        ("the camera has another certificate: its SHA-256 is ab", "certificate"),
        ("the camera's clock is 20 days ahead: a token", "ahead"),
        ("the camera redirects (HTTP 302)", "blocked"),
    ):
        matter = advice.unasked(CameraFault.BLOCKED, said, "camera", has_login=True)
        assert matter.code == kind
    matter = advice.unasked(CameraFault.AUTH, "", "camera", has_login=False)
    assert matter.code == "password_missing"


@given(st.integers(6, 10**9), st.booleans())
def test_a_clock_that_is_off_is_told_in_a_unit_that_people_use(size_s, is_ahead):
    offset_s = size_s if is_ahead else -size_s
    main = StreamFacts(
        StreamName.MAIN,
        "192.0.2.10",
        554,
        has_login=False,
        clock_offset_s=offset_s,
        report=SOUND,
    )
    space = Space(room_bytes=None, cameras=1, days=30)
    told = WORDS.advice(next(iter(advice.advise(main, None, space))))
    assert told.code == ("clock_wrong" if size_s > 60 else "clock_off")
    assert ("快了" in told.zh, "慢了" in told.zh) == (is_ahead, not is_ahead)
    count = int(told.zh.partition("了 ")[2].partition(" ")[0])
    assert 1 <= count < max(60, size_s // 86_400 + 1)
