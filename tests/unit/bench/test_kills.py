from datetime import UTC, datetime, timedelta

from bench.kills import RECORDERS, Kill, Victim, plan

T0 = datetime(2026, 11, 22, tzinfo=UTC)


def at(seconds):
    return T0 + timedelta(seconds=seconds)


def test_every_turn_kills_every_part_once():
    kills = plan([at(10), at(123), at(237)])
    hits = {victim: sum(kill.victim is victim for kill in kills) for victim in Victim}
    # The edge's own forker every other turn.
    assert hits.pop(Victim.WHOLE_EDGE) == 2
    assert set(hits.values()) == {3}
    assert list(kills) == sorted(kills, key=lambda kill: kill.at)


def test_the_first_turn_is_around_its_gathering():
    assert plan([at(10)]) == (
        Kill(Victim.BROKER, at(9)),
        Kill(Victim.CENTRE, at(11)),
        Kill(Victim.DETECTOR, at(14)),
        Kill(Victim.EDGE, at(50)),
        Kill(Victim.WHOLE_EDGE, at(85)),
    )


def test_pictures_are_not_taken_from_the_rule_while_it_counts():
    start = at(300)
    for turn in range(4):
        kills = plan([start - timedelta(days=day) for day in range(turn, -1, -1)])
        assert not [
            kill
            for kill in kills
            if kill.victim in {Victim.DETECTOR, *RECORDERS}
            and start - timedelta(seconds=30) < kill.at < start
        ]


def test_no_gathering_no_kill():
    assert plan([]) == ()
