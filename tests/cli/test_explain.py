"""Tests of agenttop.cli.explain, agenttop.cli.markdown: as it is typed, on a terminal and through a pipe."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agenttop.cli.explain import contents, together
from agenttop.cli.main import main
from agenttop.cli.markdown import MAX_WIDTH, render
from agenttop.explain.pages import ORDER, read_pages
from agenttop.explain.topics import find, names, topics_of
from agenttop.report.figures import cells

PAGES = read_pages()
TOPICS = topics_of(PAGES)
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["explain", *words]) == 0
    out = capsys.readouterr()
    assert out.err == ""
    return out.out


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("text", [contents(PAGES), *(page.text for page in PAGES)], ids=["all", *ORDER])
def test_a_page_is_drawn_within_the_terminal(text: str, width: int) -> None:
    drawn = ESCAPE.sub("", render(text, width)).split("\n")
    assert max(map(cells, drawn)) <= min(width, MAX_WIDTH)
    words = {word for line in drawn for word in line.split()}
    assert {"```", "##", "<!--"}.isdisjoint(words)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_every_topic_is_drawn_within_the_terminal(width: int) -> None:
    page = "\n\n".join(together(find(name, TOPICS)) for name in names(TOPICS)[:: 7 if width == 80 else 13])
    assert max(map(cells, ESCAPE.sub("", render(page, width)).split("\n"))) <= min(width, MAX_WIDTH)


def test_nothing_of_an_entry_is_lost_where_it_is_narrow() -> None:
    text = together(find("pools.think_time", TOPICS))
    drawn = " ".join(ESCAPE.sub("", render(text, 40)).split())
    assert "think_time (duration or range, default 0s): Pause after every task, uniform in the range." in drawn


def test_colours_are_those_of_the_terminal_and_none_where_none_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)
    text = PAGES[0].text
    dark, light = render(text, 80), render(text, 80, light=True)
    assert "38;2;" in dark
    assert dark != light
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", "xterm")
    assert "38;" not in render(text, 80)
    monkeypatch.setenv("NO_COLOR", "1")
    assert set(ESCAPE.findall(render(text, 80))) <= {"\x1b[1m", "\x1b[0m"}


def test_through_a_pipe_it_is_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "metrics") == next(page.text for page in PAGES if page.name == "metrics").strip() + "\n"
    assert said(capsys, "pools.think_time") == (
        "## pools: `[[pools]]`\n\n"
        "- `think_time` (duration or range, default 0s): Pause after every task, uniform\n  in the range.\n\n"
        "More: `agenttop explain pools`\n"
    )


def test_without_a_topic_it_lists_the_pages_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys).split("\n")
    assert [line.split("`")[1] for line in lines if line.startswith("- ")] == [page.name for page in PAGES]


def test_the_list_is_every_name_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    listed = said(capsys, "--list").split("\n")
    assert {"ttft", "pools.think_time", "openai.chat", "exit-codes", "99", "rate_limited"} <= set(listed)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("tftt", "agenttop: there is no topic 'tftt'; did you mean ttft?"),
        ("pools.think_tme", "agenttop: there is no topic 'pools.think_tme'; did you mean pools.think_time"),
        ("openai", "agenttop: there is no topic 'openai'; did you mean openai."),
        ("xqzzkw", "agenttop: there is no topic 'xqzzkw'; agenttop explain lists what there is"),
        ("ttft --wide", "agenttop: unrecognized arguments: --wide (see agenttop explain --help)"),
    ],
)
def test_an_unknown_topic_is_one_line_with_the_nearest(
    capsys: pytest.CaptureFixture[str], words: str, line: str
) -> None:
    assert main(["explain", *words.split()]) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err.startswith(line)
    assert out.err.count("\n") == 1


def test_a_reader_that_leaves_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "agenttop", "explain", "summary"], stdout=pipe, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_rich_is_left_alone_where_there_is_no_terminal() -> None:
    code = "import sys; from agenttop.cli.main import main; main(['explain', 'ttft']); print('rich' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("False\n")


def test_on_a_terminal_it_is_drawn(tmp_path: Path) -> None:
    controller, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "60", "LINES": "24"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        [sys.executable, "-m", "agenttop", "explain", "exit", "codes"], stdout=terminal, env=environment
    ) as child:
        os.close(terminal)
        got = io.BytesIO()
        try:
            while block := os.read(controller, 4096):
                got.write(block)
        except OSError:  # the other end is closed: how Linux says so
            pass
    os.close(controller)
    text = got.getvalue().decode()
    assert child.returncode == 0
    assert "\x1b[" in text
    lines = ESCAPE.sub("", text).replace("\r", "").split("\n")
    assert any(line.startswith(" • 99: a threshold failed") for line in lines)
    assert max(map(len, lines)) <= 60
