"""The pages say what the code does: nothing is missing in them, and what they show as an example works."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agenttop import dialects, exits
from agenttop.cli.explain import contents
from agenttop.cli.main import _parse
from agenttop.dialects import DIALECTS, dialect_named
from agenttop.exits import UsageError
from agenttop.explain.pages import ORDER, Page, read_pages
from agenttop.explain.topics import Topic, topics_of
from agenttop.metrics.outcome import USER_ERROR, Outcome
from agenttop.metrics.saturation import CPU_PERCENT, LAG_US
from agenttop.profile import keys
from agenttop.profile.load import load_profile
from agenttop.profile.model import Model, Task
from agenttop.profile.problems import ProfileError
from agenttop.profile.template import BUILT_IN
from agenttop.report.model import Metrics
from agenttop.steering.commands import COMMANDS
from agenttop.thresholds.catalogue import METRICS
from agenttop.tui.keys import GROUPS, PANE_KEYS, REPLAY
from agenttop.users.retries import DEFAULT_WAIT_S, MAX_WAIT_S
from tests.pages.__main__ import FILES, ROOT
from tests.pages.generated import filled, marks, program_commands
from tests.pages.metrics import FORMULAS

FOLDER = ROOT / "agenttop" / "explain" / "pages"
WIDTH = 79
PAGES = {page.name: page for page in read_pages()}
TOPICS = topics_of(list(PAGES.values()))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
CODE = re.compile(r"`([^`]+)`")
#: What a dialect is asked about; one line may answer two.
QUESTIONS = ("Request", "First token", "Tool call", "Model call", "Usage", "End", "Error", "Limit")


def texts(page: str) -> dict[str, str]:
    """What the entries of a page say, by their names."""
    found: dict[str, str] = {}
    for topic in TOPICS:
        if topic.page == page and topic.heading:
            said = re.sub(r"^- (`[^`]+`,? ?)+(\([^)]*\))?:?", "", topic.text).strip()
            found |= dict.fromkeys(topic.names, said)
    return found


def section(name: str) -> Topic:
    return next(topic for topic in TOPICS if name in topic.names and topic.text.startswith("#"))


# -- the generated parts


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_generated_is_what_the_code_says_now(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == filled(text), f"{path.name} is out of date: python -m tests.pages"


def test_every_page_is_in_the_order_and_every_kind_of_table_is_on_one() -> None:
    assert sorted(ORDER) == sorted(path.stem for path in FOLDER.glob("*.md"))
    shown = {argument for page in FOLDER.glob("*.md") for block, argument in marks(page.read_text()) if block == "keys"}
    assert shown == {model.__name__ for model in _models()}
    assert {argument for block, argument in marks((FOLDER / "metrics.md").read_text())} == set(FORMULAS)


def _models() -> Iterator[type]:
    for kind in vars(keys).values():
        if isinstance(kind, type) and issubclass(kind, Model) and kind is not Model:
            yield kind


def test_every_entry_says_something() -> None:
    assert [(page, name) for page in PAGES for name, said in texts(page).items() if not said] == []


# -- nothing is missing


def test_every_key_of_a_profile_has_its_text() -> None:
    tables = {
        **{name: f"{name}." for name in keys.KNOWN if name != "tasks"},
        "profile": "",
        "price": "budget.price.",
        "judge": "quality.judge.",
        "step": "pools.tasks.steps.",
        "data": "pools.tasks.data.",
    }
    said = {name for topic in TOPICS for name in topic.names}
    known = {prefix + key for table, prefix in tables.items() for key in keys.KNOWN[table]}
    known |= {f"pools.tasks.{key}" for key in Task.model_fields}
    assert known <= said


def test_every_metric_has_its_formula_and_every_figure_of_the_summary_its_text() -> None:
    assert set(texts("metrics")) == set(METRICS)
    assert {name for group in FORMULAS.values() for name in group} == set(METRICS)
    assert set(Metrics.__struct_fields__) <= set(texts("summary"))


def test_every_outcome_exit_code_and_built_in_variable() -> None:
    streams = {"one_burst", "stalled", "unterminated"}
    assert set(texts("outcomes")) == {outcome.value for outcome in Outcome} | streams
    assert USER_ERROR in PAGES["outcomes"].text
    codes = {str(value) for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
    assert set(texts("exit-codes")) == codes
    assert {"{" + name + "}" for name in BUILT_IN} == set(texts("variables"))


def test_every_command_of_the_program_and_of_a_run() -> None:
    commands = {form.split()[0] for form in program_commands()}
    assert "explain" in commands
    assert commands == set(texts("commands"))
    assert set(COMMANDS) <= set(texts("ctl"))
    for form in COMMANDS.values():
        assert f"- `{form}`" in PAGES["ctl"].text


def test_every_key_and_pane_of_the_screen() -> None:
    said = texts("screen")
    for group in (*GROUPS, REPLAY):
        for key in group.keys:
            assert f": {key.help} " in _flat(PAGES["screen"].text)
    assert set(PANE_KEYS.split(",")) <= set(said)


# -- dialects


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_answers_every_question(name: str) -> None:
    text = section(name).text
    asked = re.findall(r"^- ([A-Z][\w ,]+?):", text, re.MULTILINE)
    heads = " ".join(asked).lower().replace(" and ", ", ").replace("calls", "call")
    for question in QUESTIONS:
        assert all(word in heads for word in question.lower().split()), question
    no_terminal = "There is no terminal event" in _flat(text)
    measured = name in ("json", "custom")
    assert no_terminal == (not measured and not dialect_named(name).terminal)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name not in ("json", "custom")])
def test_what_a_dialect_is_said_to_read_stands_in_its_code(name: str) -> None:
    """Names of events and fields; what is written in a profile, or is of HTTP, is not the dialect's to read."""
    source = _source(dialects.__path__[0], name)
    text = re.split(r"\n- (?=First)", section(name).text)[1]
    missing = []
    for code in CODE.findall(text):
        words = code.replace("data: [DONE]", "[DONE]").replace("*", "").split(".") if " " in code else [code]
        for word in words:
            word = word.strip("*.-")
            parts = [word] if word in source else re.split(r"[.:]\s?", word)
            missing += [part for part in parts if part.strip() not in source]
    assert not [part for part in missing if part not in _NOT_READ], missing


#: Words of this project, and values that are understood by what they are not, or by a part of them.
_NOT_READ = frozenset({"ttfo", "true", "incomplete", "overloaded_error", "rate_limit_error"})


def _source(folder: str, name: str) -> str:
    """The code of a dialect and of what they share, but for its comments on itself."""
    own = type(dialect_named(name))
    shared = [Path(folder, f"{part}.py").read_text() for part in ("failure", "generic", "retry_after", "quota")]
    return "\n".join([ast.unparse(ast.parse(Path(inspect.getfile(own)).read_text())), *shared])


@pytest.mark.parametrize("name", DIALECTS)
def test_what_is_said_of_asking_for_streams_and_of_history_holds(name: str, tmp_path: Path) -> None:
    text = section(name).text
    protocol = "ws" if name == "openai.realtime" else "sse"
    if protocol == "sse":
        asks = _problems(tmp_path, name, "post = '/x'\njson = { messages = [], input = 'x' }")
        assert any("stream = true" in problem for problem in asks) == ("`stream = true` in its JSON" in _flat(text)), (
            asks
        )
        body = "{ stream = true, messages = [ { role = 'user', content = 'x' } ], input = 'x' }"
        kept = _problems(tmp_path, name, f"post = '/x'\njson = {body}\nhistory = true")
        assert any("history" in problem for problem in kept) != ("With `history`" in text), kept


def _flat(text: str) -> str:
    return " ".join(text.split())


def _problems(folder: Path, dialect: str, task: str) -> list[str]:
    file = folder / "p.toml"
    file.write_text(
        f'target = "http://h"\nusers = 1\nduration = "1s"\n[[pools]]\nname = "a"\nprotocol = "sse"\n'
        f'dialect = "{dialect}"\n[[pools.tasks]]\nname = "t"\n{task}\n'
    )
    try:
        return [str(warning) for warning in load_profile(file, env={}).warnings]
    except ProfileError as error:
        return [str(error)]


# -- figures that are written out


def test_figures_in_words_are_those_of_the_code() -> None:
    assert f"over {CPU_PERCENT:.0f} % of a worker's core" in _flat(PAGES["metrics"].text)
    assert f"p99 over {LAG_US / 1000:.0f} ms" in _flat(PAGES["metrics"].text)
    waits = f"({DEFAULT_WAIT_S:.0f}s where nothing does, {MAX_WAIT_S / 60:.0f}m at most)"
    assert waits in _flat(PAGES["rate-limits"].text)


# -- examples


def blocks(kind: str) -> list[tuple[str, str]]:
    files = [(path.stem, path.read_text(encoding="utf-8")) for path in FILES]
    return [(name, text) for name, page in files for found, text in FENCE.findall(page) if found == kind]


@pytest.mark.parametrize(("page", "text"), blocks("toml"))
def test_an_example_of_a_profile_is_accepted(page: str, text: str, tmp_path: Path) -> None:
    profile: dict[str, Any] = tomllib.loads(text)
    base = 'target = "http://h"\n' if "target" not in profile else ""
    if "stages" not in profile:
        base += 'users = 1\nduration = "1s"\n'
    end = ""
    if "pools" not in profile:
        end = '\n[[pools]]\nname = "chat"\n[[pools.tasks]]\nname = "t"\nget = "/"\n'
        if "quality" in profile:
            end += 'graded = true\nanswer = "body"\nquery = { q = "{input}" }\n'
    elif not any("tasks" in pool for pool in profile["pools"]):
        end = '\n[[pools.tasks]]\nname = "t"\nget = "/"\n'
    file = tmp_path / "p.toml"
    file.write_text(base + text + end)
    (tmp_path / "golden.jsonl").write_text('{"id": "hours", "input": "When are you open?", "target": "nine"}\n')
    load_profile(file, env={"API_KEY": "x"})


def commands() -> Iterator[str]:
    for _, text in blocks("sh"):
        for line in text.replace("\\\n", " ").split("\n"):
            for part in re.split(r"&&|\|", line):
                words = part.split("#")[0].strip().removesuffix("&").strip().removeprefix(".venv/bin/")
                if words.startswith("agenttop ") and not words.startswith("agenttop agent"):
                    yield words


@pytest.mark.parametrize("command", dict.fromkeys(commands()))
def test_an_example_of_a_command_is_one(command: str) -> None:
    assert _parse(shlex.split(command)[1:]).command is not None


def test_a_command_that_is_none_would_be_noticed() -> None:
    with pytest.raises(UsageError):
        _parse(["explian"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if not link.startswith(("http://", "https://")):
            assert (path.parent / link).exists(), link


def test_every_shipped_profile_is_listed() -> None:
    said = CODE.findall(section("shipped-profiles").text)
    assert {path.name for path in (ROOT / "profiles").iterdir() if path.is_file()} <= set(said)


# -- how they read


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_a_page_reads_well_in_a_pager_of_80_columns(page: Page) -> None:
    assert page.text.startswith(f"# {page.name}\n\n")
    assert 20 <= len(page.about) <= WIDTH - len(page.name) - 6, page.about
    assert "<!--" not in page.text
    prose = [line for line in FENCE.sub("", page.text).split("\n") if not line.startswith("|")]
    assert [line for line in prose if len(line) > WIDTH] == []


def test_the_list_of_pages_is_hardly_longer_than_a_screen() -> None:
    assert len(contents(list(PAGES.values())).split("\n")) <= 28


def test_where_a_new_thing_goes_names_files_that_are_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("## Where a new … goes", 1)[1].split("\n## ", 1)[0]
    named = [code for code in CODE.findall(table) if "/" in code and "*" not in code]
    assert len(named) > 20
    assert [code for code in named if not any((root / code).exists() for root in (ROOT, ROOT / "agenttop"))] == []
