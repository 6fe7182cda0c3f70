"""The smaller brother of ``make chaos``: servers and PostgreSQL are killed, and no answer is lost or doubled."""

from benchmarks.chaos import ANSWERS, run

OBJECTS = 300
KILLS = 6


def test_what_was_acknowledged_is_in_the_output_once() -> None:
    result = run(OBJECTS, 12, KILLS, seed=8, pause=0.25)
    assert result.faults == []
    assert result.acknowledged <= OBJECTS * ANSWERS
    # An answer that was kept when its server was killed before it could say so is in the output all the same.
    assert result.acknowledged > OBJECTS * ANSWERS * 0.9
    assert sum(result.kills.values()) >= KILLS - 1
    assert len(result.kills) == 3, "each of the servers and PostgreSQL"
