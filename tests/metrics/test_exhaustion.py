from __future__ import annotations

import errno
import os

import pytest

from agenttop.metrics.delta import ErrorDelta, Network
from agenttop.metrics.exhaustion import FILES_ADVICE, Failures, Files, Reason, grouped
from agenttop.wire.dial import why_not
from tests.metrics.strain import play, strained


def refused(number: int) -> str:
    """What the wire writes down when the system refuses a connection so."""
    return why_not(OSError(number, os.strerror(number)))


NO_FILE, NO_PORT = refused(errno.EMFILE), refused(errno.EADDRNOTAVAIL)
#: A range that is nearly used up, mostly by sockets that are closed.
SHORT = Network(28_232, 900, 27_000)
IDLE = Network(28_232, 40, 12)


def nic(percent: float) -> Network:
    return Network(28_232, 40, 12, "eth0", percent, 1_000)


def test_open_files_near_their_limit() -> None:
    assert not play(strained(1, files=(972, 1_024))).ever
    saturation = play(strained(1, files=(1_000, 1_024)), strained(2, files=(1_020, 1_024)))
    assert saturation.reasons == ("worker 1: 1 020 of 1 024 open files",)
    (warning,) = saturation.warnings()
    assert warning.startswith("worker 1: 1 020 of 1 024 open files at worst, too much for 2 s, first at 1 s: ")
    assert "ulimit -n" in warning


def test_what_makes_connections_fail_is_said_first() -> None:
    busy = [strained(n + 0.9, cpu=95.0, files=(64, 64)) for n in range(4)]
    network = strained(4.9, worker=2, network=SHORT, failed=(NO_PORT, 9))
    said = [reason.split(" of")[0] for reason in play(*busy, network).reasons]
    assert said == ["no ephemeral port left", "worker 1: 64", "worker 1: CPU 95 %"]


def test_nobody_said_how_many_files_are_allowed() -> None:
    assert not play(strained(1, files=(5_000, 0))).ever


def test_connections_that_fail_for_want_of_a_file_are_not_put_down_to_the_target() -> None:
    saturation = play(strained(1, files=(60, 64), failed=(NO_FILE, 30)), strained(2, files=(60, 64)))
    assert saturation.reasons == ("worker 1: 64 of 64 open files",)
    assert "not at the target" in saturation.warnings()[0]
    later = play(strained(1, files=(60, 64), failed=(NO_FILE, 30)), *(strained(n, files=(9, 64)) for n in range(2, 7)))
    assert later.reasons == ()


def test_the_whole_machine_is_out_of_files() -> None:
    saturation = play(strained(1, failed=(refused(errno.ENFILE), 3)))
    assert saturation.reasons == ("this machine has no open file left",)
    assert "fs.file-max" in saturation.warnings()[0]


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.ENETUNREACH, errno.ECONNRESET])
def test_what_the_target_does_is_no_saturation(number: int) -> None:
    assert not play(*(strained(n, failed=(refused(number), 500)) for n in range(1, 6))).ever


def test_no_ephemeral_port_left() -> None:
    saturation = play(strained(1, network=SHORT, failed=(NO_PORT, 1_312)))
    assert saturation.reasons == ("no ephemeral port left of 28 232 (27 000 in TIME_WAIT)",)
    assert "net.ipv4.ip_local_port_range" in saturation.warnings()[0]


def test_an_address_that_cannot_be_used_at_all_fails_with_the_same_words() -> None:
    assert not play(*(strained(n, network=IDLE, failed=(NO_PORT, 500)) for n in range(1, 6))).ever


def test_where_the_ports_are_not_known_the_words_are_believed() -> None:
    assert play(strained(1, failed=(NO_PORT, 7))).reasons == ("no ephemeral port left",)


def test_connections_of_all_workers_near_the_range() -> None:
    many = (strained(1, worker=0, connections=14_000, network=IDLE), strained(1, worker=1, connections=13_500))
    assert play(*many).reasons == ("27 500 of 28 232 ephemeral ports to one address",)
    assert not play(*(strained(1, worker=n, connections=13_000, network=IDLE) for n in range(2))).ever


def test_sockets_of_others_prove_nothing() -> None:
    assert not play(*(strained(n, network=SHORT) for n in range(1, 6))).ever


def test_an_interface_at_its_speed() -> None:
    saturation = play(*(strained(n, network=nic(94.0)) for n in range(1, 4)))
    assert saturation.reasons == ("network eth0 at 94 % of its 1 000 Mbit/s",)
    assert not play(*(strained(n, network=nic(20.0 if n == 4 else 99.0)) for n in (1, 2, 4, 5, 6))).ever


def test_a_second_between_two_measurements_changes_nothing() -> None:
    measured = [strained(n, network=nic(94.0) if n % 2 else None) for n in range(1, 6)]
    assert play(*measured).reasons == ("network eth0 at 94 % of its 1 000 Mbit/s",)
    assert not play(*measured[:4]).ever


@pytest.mark.parametrize(
    "reasons",
    [
        play(strained(1, files=(19_999, 20_000), failed=(NO_FILE, 10_000))).reasons,
        play(strained(1, network=nic(0), connections=28_000)).reasons,
        play(strained(1, network=SHORT, failed=(NO_PORT, 1_312))).reasons,
        play(*(strained(n, network=nic(94.0)) for n in range(1, 4))).reasons,
    ],
)
def test_a_reason_fits_beside_the_word_on_a_narrow_screen(reasons: tuple[str, ...]) -> None:
    (reason,) = reasons
    assert len(f"! saturated: {reason}") <= 80 - 4


@pytest.mark.parametrize(("age_s", "news"), [(0.0, True), (3.0, True), (3.1, False)])
def test_a_failure_is_news_for_three_seconds(age_s: float, news: bool) -> None:
    failures = Failures("no file")
    assert not failures.recent(0.0)
    failures.observe(
        [ErrorDelta(0, 0, "connect_error", "no file", 2, 1.0, 7.0), other("no route"), other("no file", 5.0)]
    )
    failures.observe([ErrorDelta(0, 0, "timeout", "no file", 9, 1.0, 99.0)])
    assert failures.count == 3
    assert failures.recent(7.0 + age_s) is news


def other(words: str, last_s: float = 60.0) -> ErrorDelta:
    return ErrorDelta(0, 0, "connect_error", words, 1, 0.0, last_s)


def test_files_that_were_refused_are_all_there_are() -> None:
    files = Files(open=10, limit=64)
    assert files.judge(1.0) is None
    files.refused.observe([ErrorDelta(0, 0, "connect_error", NO_FILE, 2, 0.5, 0.9)])
    assert files.judge(1.0) == Reason("open files", 64, "64 of 64 open files", FILES_ADVICE)
    files.limit = 0
    assert files.judge(1.0) == Reason("open files", 10, "no open file left", FILES_ADVICE)
    assert Files(open=95, limit=100).judge(1.0) == Reason("open files", 95, "95 of 100 open files", FILES_ADVICE)
    assert Files(open=94, limit=100).judge(1.0) is None


def test_numbers_with_their_thousands_apart() -> None:
    assert [grouped(number) for number in (0, 999, 12_480, 1_000_000)] == ["0", "999", "12 480", "1 000 000"]
