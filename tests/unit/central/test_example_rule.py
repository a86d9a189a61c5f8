import pytest

from central.codes import FalseReason
from central.examples.rule import shows_no_fire, teaches
from protocol.messages import AlertKind, AlertMode

BURNS = {FalseReason.COOKING_SMOKE, FalseReason.RITUAL_BURNING, FalseReason.PERMITTED_BURNING}


@pytest.mark.parametrize("kind", [AlertKind.GATHERING, AlertKind.FLAME, AlertKind.SMOKE])
@pytest.mark.parametrize("reason", sorted(BURNS | {FalseReason.OTHER}))
def test_where_something_may_burn_a_picture_is_no_negative(kind, reason):
    assert not shows_no_fire(kind, reason)


@pytest.mark.parametrize("reason", sorted(set(FalseReason) - BURNS - {FalseReason.OTHER}))
def test_any_other_reason_says_of_a_gathering_that_nothing_burned(reason):
    assert shows_no_fire(AlertKind.GATHERING, reason)


@pytest.mark.parametrize("kind", [AlertKind.FLAME, AlertKind.SMOKE])
def test_people_counted_wrongly_say_nothing_of_a_fire(kind):
    assert not shows_no_fire(kind, FalseReason.MISCOUNT)
    assert shows_no_fire(kind, FalseReason.HEADLIGHTS)


@pytest.mark.parametrize("mode", list(AlertMode))
def test_only_what_a_model_found_teaches_and_a_drill_never(mode):
    taught = {kind for kind in AlertKind if teaches(kind, mode)}
    models = {AlertKind.GATHERING, AlertKind.FLAME, AlertKind.SMOKE}
    assert taught == (set() if mode is AlertMode.DRILL else models)
