"""When a target is said to hang."""

from __future__ import annotations

from agenttop.verdict.second import Answers, Second
from agenttop.verdict.silence import Silence
from tests.verdict.test_baseline import records


def quiet(t_s: float, in_flight: int, oldest_s: float, **more: object) -> Second:
    return Second(t_s, 1.0, 10.0, {}, in_flight=in_flight, oldest_s=oldest_s, **more)  # type: ignore[arg-type]


def answered(t_s: float, ms: float, in_flight: int = 10) -> Second:
    return Second(t_s, 1.0, 10.0, {0: Answers(2, latency=records(ms, ms))}, in_flight=in_flight, oldest_s=0.1)


def hung_at(silence: Silence, seconds: list[Second]) -> float | None:
    return next((second.t_s for second in seconds if silence.look(second)), None)


def test_five_seconds_where_answers_take_less_than_one() -> None:
    silence = Silence()
    assert hung_at(silence, [answered(float(t), 600.0) for t in range(1, 11)]) is None
    assert hung_at(silence, [quiet(10.0 + t, 10, float(t)) for t in range(1, 20)]) == 15.0
    assert silence.quiet_s == 5.0
    assert silence.look(answered(16.0, 600.0)) is False
    assert silence.quiet_s == 0.0


def test_answers_that_always_took_long_are_waited_for() -> None:
    silence = Silence()
    silence.look(answered(1.0, 20_000.0, 1))
    assert hung_at(silence, [quiet(1.0 + t, 1, float(t)) for t in range(1, 60)]) == 41.0
    crowd = Silence()
    crowd.look(answered(1.0, 20_000.0, 40))
    assert hung_at(crowd, [quiet(1.0 + t, 40, float(t)) for t in range(1, 60)]) == 25.0


def test_before_the_first_answer_it_takes_half_a_minute() -> None:
    silence = Silence()
    assert hung_at(silence, [quiet(float(t), 5, float(t)) for t in range(1, 60)]) == 30.0
    assert not silence.ever


def test_nothing_in_flight_and_a_pause_are_no_silence() -> None:
    silence = Silence()
    silence.look(answered(1.0, 100.0))
    assert hung_at(silence, [quiet(1.0 + t, 0, 0.0) for t in range(1, 20)]) is None
    assert hung_at(silence, [quiet(21.0 + t, 3, t + 6.0, sending=False) for t in range(1, 20)]) is None


def test_requests_that_the_client_gave_up_are_no_answers() -> None:
    silence = Silence()
    silence.look(answered(1.0, 100.0))
    given_up = [
        Second(1.0 + t, 1.0, 10.0, {0: Answers(failures={"timeout": 1})}, in_flight=10, oldest_s=float(t))
        for t in range(1, 20)
    ]
    assert hung_at(silence, given_up) == 6.0
    refused = Second(30.0, 1.0, 10.0, {0: Answers(failures={"server_error": 1})}, in_flight=10, oldest_s=20.0)
    assert silence.look(refused) is False
