"""Points and filings under every sequence of what people and boxes do."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.errors import ConflictError, InvalidError
from central.points.codes import DeviceType, Fact, FilingState, Item, Lack, PlaceType, PointState
from central.points.filing import Filed, InUse, changes_since, needs_filing, standing, to_file
from central.points.picture import clean
from central.points.states import Papers, check_papers, check_step, is_clear, lacks, mode_of
from protocol.messages import AlertMode, LegalBasis
from tests.support.jpeg import jpeg

TODAY = date(2026, 11, 27)
PLAIN = jpeg(width=32, height=32)
KEPT = [PointState.DRAFT, PointState.TRIAL, PointState.IN_USE, PointState.RETIRED]

papers = st.builds(
    Papers,
    place_type=st.none() | st.sampled_from(PlaceType),
    legal_basis=st.none() | st.sampled_from(LegalBasis),
    manager_unit=st.sampled_from(["", "  ", "下村村民委员会"]),
    installed_on=st.none() | st.just(TODAY),
    is_clear=st.booleans(),
    has_photo=st.booleans(),
)
facts = st.builds(
    Filed,
    uid=st.sampled_from(["a.1", "a.2", "b.1", "b.2"]),
    place=st.sampled_from(["村口", "广场"]),
    device_type=st.sampled_from(DeviceType),
    unit=st.sampled_from(["村委会", "派出所"]),
    retention_days=st.sampled_from([30, 60, 90]),
)
used = st.builds(
    InUse,
    facts=facts,
    legal_basis=st.sampled_from(LegalBasis),
    since=st.integers(0, 90).map(lambda ago: TODAY - timedelta(days=ago)),
)
systems = st.lists(used, max_size=4, unique_by=lambda each: each.facts.uid)


@given(st.lists(st.tuples(st.sampled_from(KEPT), papers), max_size=12))
def test_whatever_people_try_a_point_is_never_where_its_papers_do_not_let_it_be(tries):
    state = PointState.DRAFT
    for wanted, has in tries:
        try:
            check_step(state, wanted, has)
        except (ConflictError, InvalidError):
            continue
        state = wanted
        assert lacks(has, state) == ()
        if state is PointState.IN_USE:
            assert has.is_clear
            assert has.has_photo
            assert has.installed_on is not None
        if state is PointState.TRIAL:
            assert has.is_clear


@given(papers)
def test_what_lets_a_point_be_in_use_lets_it_be_tried(has):
    assert set(lacks(has, PointState.TRIAL)) <= set(lacks(has, PointState.IN_USE))
    assert lacks(has, PointState.DRAFT) == lacks(has, PointState.RETIRED) == ()


@given(papers, st.sampled_from(KEPT))
def test_papers_are_refused_exactly_where_something_lacks_and_it_is_named(has, state):
    missing = lacks(has, state)
    if not missing:
        check_papers(state, has)
        return
    with pytest.raises(InvalidError) as refused:
        check_papers(state, has)
    assert str(refused.value).endswith(f"needs: {', '.join(missing)}")


@given(st.sampled_from(KEPT))
def test_nobody_steps_out_of_use_into_a_silent_trial(state):
    whole = Papers(PlaceType.GATE, LegalBasis.ARTICLE_9, "村委会", TODAY, True, True)  # noqa: FBT003
    try:
        check_step(PointState.IN_USE, state, whole)
    except ConflictError:
        assert state is not PointState.RETIRED
    else:
        assert state is PointState.RETIRED


@given(st.dictionaries(st.sampled_from(Item), st.booleans()))
def test_a_checklist_is_clear_only_where_every_item_is_confirmed(answers):
    try:
        clear = is_clear(answers)
    except InvalidError:
        assert set(answers) != set(Item)
    else:
        assert clear == all(answers[item] for item in Item)


@given(st.sampled_from(AlertMode), st.booleans())
def test_a_trial_silences_what_is_live_and_nothing_is_ever_made_louder(said, in_trial):
    taken = mode_of(said, in_trial=in_trial)
    assert taken is (AlertMode.TRIAL if in_trial and said is AlertMode.LIVE else said)


@given(systems)
def test_right_after_filing_nothing_is_to_be_changed(system):
    found = standing(system, to_file(system), TODAY)
    assert (found.state, found.changes, found.due_on) == (FilingState.FILED, (), None)


@given(systems, systems)
def test_a_filed_system_needs_a_change_exactly_where_what_is_to_be_filed_differs(before, after):
    found = standing(after, to_file(before), TODAY)
    differs = to_file(before) != to_file(after)
    assert (found.state is FilingState.CHANGE_NEEDED) == differs == bool(found.changes)


@given(systems, systems)
def test_a_change_that_is_taken_back_is_none(before, after):
    there, back = changes_since(to_file(before), to_file(after)), to_file(before)
    assert changes_since(to_file(before), back) == ()
    assert {each.uid for each in there} == {
        each.uid for each in changes_since(to_file(after), to_file(before))
    }


@given(systems, systems)
def test_every_camera_that_came_or_went_is_named_once(before, after):
    changes = changes_since(to_file(before), to_file(after))
    old, new = ({each.uid for each in to_file(system)} for system in (before, after))
    assert {each.uid for each in changes if each.fact is Fact.ADDED} == new - old
    assert {each.uid for each in changes if each.fact is Fact.REMOVED} == old - new
    assert len({(each.fact, each.uid) for each in changes}) == len(changes)


@given(systems)
def test_before_it_is_filed_it_is_due_30_days_after_the_first_use_or_exempt(system):
    found = standing(system, None, TODAY)
    begun = [each.since for each in system if needs_filing(each.legal_basis)]
    if begun:
        assert found.state is FilingState.NOT_FILED
        assert found.due_on == min(begun) + timedelta(days=30)
        assert found.days_left == (found.due_on - TODAY).days
    else:
        assert found.state is (FilingState.EXEMPT if system else FilingState.NOT_FILED)
        assert found.due_on is None


@given(systems, st.permutations(range(4)))
def test_the_order_in_which_cameras_are_told_means_nothing(system, order):
    shuffled = [system[place] for place in order if place < len(system)]
    assert to_file(system) == to_file(shuffled)
    assert standing(system, None, TODAY) == standing(shuffled, None, TODAY)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_photo_or_refused(noise):
    png = b"\x89PNG\r\n\x1a\n"
    for sent in (noise, png + noise, PLAIN[:2] + noise, PLAIN[:100] + noise + PLAIN[100:]):
        try:
            found = clean(sent)
        except InvalidError:
            continue
        assert found.width * found.height > 0
        assert clean(found.data) == found  # once clean it stays as it is


def test_every_lack_is_one_of_a_point_in_use():
    assert set(lacks(Papers(), PointState.IN_USE)) == set(Lack)
