"""Tests of agenttop.steering.command, agenttop.steering.reading."""

from __future__ import annotations

import pytest

from agenttop.schedule.quantities import MAX_COMMAND, MAX_DURATION_S, MAX_NAME
from agenttop.steering.command import Command, CommandError, parse_command, split_run
from agenttop.steering.commands import COMMANDS
from agenttop.steering.plantext import MAX_ROWS, Row, format_plan


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("users 50", Command("users", 50.0)),
        ("users +10", Command("users", 10.0, relative=True)),
        ("users -3 chat", Command("users", -3.0, relative=True, pool="chat")),
        ("users 0 all", Command("users", 0.0, pool="all")),
        ("users 1e3", Command("users", 1000.0)),
        ("rate 2.5", Command("rate", 2.5)),
        ("rate 0 arrivals", Command("rate", 0.0, pool="arrivals")),
        ("  hold  ", Command("hold")),
        ("resume", Command("resume")),
        ("pause", Command("pause")),
        ("next", Command("next")),
        ("release", Command("release")),
        ("release chat", Command("release", pool="chat")),
        ("stop", Command("stop")),
        ("stop now", Command("stop", now=True)),
        ("status", Command("status")),
    ],
)
def test_commands(text: str, command: Command) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "unknown command ''"),
        ("   ", "unknown command ''"),
        ("user 5", "unknown command 'user 5'; there are: users, rate"),
        ("USERS 5", "unknown command"),
        ("users", r"say: users N\|\+N\|-N \[POOL\]"),
        ("users 1 chat more", "say: users"),
        ("users many", "'many' is not a number"),
        ("users +", "is not a number"),
        ("users 1.5", "users are whole"),
        ("users nan", "not a finite number"),
        ("users inf", "not a finite number"),
        ("users 1000001", "more than 1 000 000"),
        ("users -1000001", "more than 1 000 000"),
        ("rate", r"say: rate N \[POOL\]"),
        ("rate +5", "rate takes an absolute number"),
        ("rate 1e999", "not a finite number"),
        ("rate -5", "rate takes an absolute number"),
        ("hold 5", "hold takes nothing after it"),
        ("status now", "status takes nothing"),
        ("release a b", "release takes"),
        ("stop later", "say: stop, or stop now"),
    ],
)
def test_what_is_no_command(text: str, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        parse_command(text)


def test_every_word_of_the_grammar_is_a_command() -> None:
    for word, form in COMMANDS.items():
        values = {"N": "5", "NA": "b2 off", "S": "5m 80", "1": "1s", "c": "honor"}
        example = f"{word} {values.get(form.rest[:2], values.get(form.rest[:1], ''))}"
        assert parse_command(example).op == word


@pytest.mark.parametrize(
    ("words", "run", "command"),
    [
        ("users +5", None, "users +5"),
        ("users 5 chat", None, "users 5 chat"),
        ("stop now", None, "stop now"),
        ("status", None, "status"),
        ("peak users -5", "peak", "users -5"),
        ("peak bad", "peak", "bad"),
        ("users many", None, "users many"),
        ("hold users 5", "hold", "users 5"),
        ("peak", "peak", ""),
        ("", None, ""),
    ],
)
def test_a_run_may_stand_before_a_command(words: str, run: str | None, command: str) -> None:
    assert split_run(words.split()) == (run, command)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("think 1s..3s", Command("think", span=(1, 3))),
        ("think 0s chat", Command("think", pool="chat", span=(0, 0))),
        ("think profile chat", Command("think", pool="chat")),
        ("pacing 10s", Command("pacing", span=(10, 10))),
        ("on_429 retry chat", Command("on_429", pool="chat", word="retry")),
        ("on_429 profile", Command("on_429")),
    ],
)
def test_habits(text: str, command: Command) -> None:
    assert parse_command(text) == command


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("think", r"say: think 1s..3s\|profile \[POOL\]"),
        ("think 5", "expected a duration .* not '5'; say: think"),
        ("think 3s..1s", "begins above its end"),
        ("think 25h", "a pause is 24h at most"),
        ("pacing 1s..3s", "pacing is one duration above 0s"),
        ("pacing 0s", "pacing is one duration above 0s"),
        ("pacing profile", "say: pacing 10s"),
        ("on_429 ignore", r"'ignore' is no policy for 429s; say: on_429 count\|honor\|retry\|profile"),
    ],
)
def test_what_are_no_habits(text: str, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        parse_command(text)


def test_stages_are_parsed_and_errors_show_the_place() -> None:
    command = parse_command("plan rest, peak: 2m step 80 chat")
    assert command.pool == "chat"
    assert command.rows == (Row(None, None), Row(120.0, 80.0, True, "peak"))
    with pytest.raises(CommandError, match=r"'5x' is no duration; write .*: plan 2m 80, >>5x<< step 80$"):
        parse_command("plan 2m 80, 5x step 80")
    with pytest.raises(CommandError, match=r"say: plan STAGES \[POOL\], such as"):
        parse_command("plan  ")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("plan profile", Command("plan")),
        ("plan  profile  chat ", Command("plan", pool="chat")),
        ("plan profile: 2m 80", Command("plan", rows=(Row(120.0, 80.0, False, "profile"),))),
    ],
)
def test_the_stages_of_the_profile(text: str, command: Command) -> None:
    assert parse_command(text) == command


def test_a_command_is_bounded_before_anything_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agenttop.steering.command.COMMANDS", None)
    for text in ("plan " + "9" * 1_000_000, " " * 1_000_000, "x" * (MAX_COMMAND + 1)):
        with pytest.raises(
            CommandError, match=f"a command has {MAX_COMMAND} characters at most; this one has {len(text)}"
        ):
            parse_command(text)


@pytest.mark.parametrize(
    "word", ["9" * 30_000, "9." * 15_000, "1s" * 15_000, ".." * 15_000, "-" * 30_000, "x" * 30_000]
)
@pytest.mark.parametrize(
    "form", ["plan {}", "plan {} 5", "plan 1s {}", "plan rest {}", "users {}", "rate {}", "think {}", "think 1s..{}",
             "pacing {}", "on_429 {}", "hold {}", "stop {}", "{}"]
)  # fmt: skip
def test_a_long_word_is_refused_in_a_short_line(form: str, word: str) -> None:
    if form == "plan rest {}" and word[0] not in "9.1":
        return  # it may be a pool's name
    try:
        parse_command(form.format(word))
    except CommandError as error:
        assert len(str(error)) < 1000  # noqa: PT017
    else:
        assert form == "plan rest {}"
        assert word[0] == "."


def test_the_longest_plan_is_a_command() -> None:
    row = Row(MAX_DURATION_S - 0.001, 999_999.999_999, True, '"' * MAX_NAME, True)
    text = f"plan {format_plan([row] * MAX_ROWS)} {'p' * MAX_NAME}"
    assert len(text) < MAX_COMMAND
    assert parse_command(text).rows == (row,) * MAX_ROWS
