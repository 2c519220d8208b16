"""What each mark of a page stands for, as Markdown made of the code: keys, metrics, commands, and what else is a list.

    <!-- keys: Pool -->
    …
    <!-- end -->

is filled by ``BLOCKS["keys"]("Pool")``.
"""

from __future__ import annotations

import contextlib
import io
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from agenttop.cli.main import main
from agenttop.explain.pages import read_pages
from agenttop.profile.keys import VERBS
from agenttop.profile.model import Task
from agenttop.profile.schema import profile_schema
from agenttop.profile.settings import OWN, Settings, variable
from agenttop.report.model import Summary
from agenttop.schedule.quantities import DURATION_PATTERN, SPAN_PATTERN
from agenttop.steering.commands import COMMANDS
from agenttop.thresholds.catalogue import FROM_K6, METRICS, PERCENTILE, SHARE, UNITS, Metric
from agenttop.tui.keys import GROUPS, REPLAY, Group
from agenttop.tui.panes.about import ABOUT
from agenttop.tui.panes.table import by_key
from tests.pages.metrics import FORMULAS
from tests.pages.summary import TEXTS

#: As on a terminal of 80 columns, where a page goes through a pager as it stands.
WIDTH = 79
_MARK = re.compile(r"(<!-- (\w+): (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """The Markdown of a page with all its marks filled.

    Raises:
        KeyError: a mark names something that there is not.
    """

    def fill(match: re.Match[str]) -> str:
        lines = [line for item in BLOCKS[match[2]](match[3]) for line in item.split("\n")]
        return match[1] + "\n".join(("", *lines, "", match[5]))

    return _MARK.sub(fill, text)


def marks(text: str) -> list[tuple[str, str]]:
    """What the marks of a page name: block and argument."""
    return [(match[2], match[3]) for match in _MARK.finditer(text)]


def item(head: str, text: str) -> str:
    """A list item: what it is about and what there is to say, wrapped."""
    whole = f"{head}: {plain(text)}" if text else head
    return textwrap.fill(whole, WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False,
                         break_on_hyphens=False)  # fmt: skip


def plain(text: str) -> str:
    """A docstring as Markdown on one line."""
    return " ".join(text.replace("``", "`").split())


# -- the profile


def keys(table: str) -> Iterator[str]:
    """The keys of one kind of table; ``Profile`` is the whole file."""
    schema = profile_schema()
    found: dict[str, Any] = schema if table == "Profile" else schema["$defs"][table]
    names = found["properties"]
    if table == "Task":  # the schema of a task is that of a step too
        names = {name: names[name] for name in Task.model_fields}
    if table == "Step":
        first = [*VERBS, *names]
        names = {name: names[name] for name in dict.fromkeys(first)}
    for name, field in names.items():
        head = f"`{name}` ({_kind(field)}{_default(field, name in found.get('required', ()))})"
        yield item(head, field.get("description", ""))


def _kind(field: Mapping[str, Any]) -> str:
    """What kind of value a key takes."""
    choices = [choice for choice in field.get("anyOf", [field]) if choice != {"type": "string", "pattern": r"\$\{"}]
    choices = [choice for choice in choices if choice != {"const": 0}]
    return " or ".join(dict.fromkeys(_one(choice) for choice in choices))


def _one(choice: Mapping[str, Any]) -> str:
    if "enum" in choice or "const" in choice:
        words = ["true" if word is True else "false" if word is False else str(word)
                 for word in choice.get("enum", [choice.get("const")])]  # fmt: skip
        return ", ".join(words[:-1]) + " or " + words[-1] if len(words) > 1 else words[0]
    pattern = choice.get("pattern", "")
    if pattern.startswith(SPAN_PATTERN):
        return "duration or range"
    if pattern.startswith(DURATION_PATTERN):
        return "duration"
    if "$ref" in choice:
        return "table"
    if choice.get("type") == "array":
        return "list of tables" if "$ref" in str(choice.get("items")) else "list"
    kinds = {"integer": "whole number", "boolean": "true or false", "string": "text", "object": "table"}
    return kinds.get(choice.get("type", ""), str(choice.get("type", "any value")))


def _default(field: Mapping[str, Any], required: bool) -> str:
    if required:
        return ", required"
    default = field.get("default")
    if default is None:
        return ""
    if isinstance(default, float) and default == int(default):
        default = int(default)
    return f", default {str(default).lower() if isinstance(default, bool) else default}"


def environment(_: str) -> Iterator[str]:
    """The ``AGENTTOP_*`` variables, those that are no keys of a profile first."""
    own = {"workers": "`--workers`", "users": "`--users`", "spawn_rate": "`--spawn-rate`", "theme": "`--theme`"}
    assert own.keys() == OWN
    for name, option in own.items():
        yield item(f"`{variable((name,))}`", f"as {option}")
    for name in Settings.model_fields:
        if name in OWN:
            continue
        part = {"tls": "__CA", "proxy": "__URL"}.get(name, "")
        yield item(f"`{variable((name,))}{part}`", f"the profile's `{name}{part.lower().replace('__', '.')}`")


# -- metrics


def metrics(names: str) -> Iterator[str]:
    """Metrics with what they are and what can be asked of them; ``names`` are those of a group."""
    for name in FORMULAS[names]:
        yield item(f"`{name}`", f"{FORMULAS[names][name]} {_asked(METRICS[name])}")


def _asked(metric: Metric) -> str:
    """The figures that a threshold may ask for."""
    methods = ", ".join(f"`{'p(N)' if method == PERCENTILE else method}`" for method in metric.methods)
    return f"*Asked for by {methods}.*"


def units(_: str) -> Iterator[str]:
    """The units of each kind of figure."""
    for kind, known in UNITS.items():
        written = [f"`{unit}`" for unit in known if unit and unit != "µs"]
        without = "0 to 1" if kind == SHARE else "ms" if len(written) > 2 else "as it is"
        if written:
            yield item(f"{kind}", f"{', '.join(written)}; without a unit {without}")


def k6(_: str) -> Iterator[str]:
    """What k6 calls its metrics."""
    for name, ours in FROM_K6.items():
        yield item(f"`{name}`", f"here `{ours}`")


# -- the summary


def summary(table: str) -> Iterator[str]:
    """The keys of one object of the summary."""
    tables = msgspec.json.schema(Summary)["$defs"]
    of_all = tables["Metrics"]["properties"] if table in ("PoolMetrics", "StageMetrics") else {}
    for name, field in tables[table]["properties"].items():
        if name not in of_all:
            yield item(f"`{name}` ({_json_kind(field)})", _described(field) or TEXTS.get(table, {}).get(name, ""))


def _described(field: Mapping[str, Any]) -> str:
    """A description, where one stands at the field or at what it is when it is not null."""
    found = (part.get("description", "") for part in (field, *field.get("anyOf", ())))
    return next(filter(None, found), "")


def _json_kind(field: Mapping[str, Any]) -> str:
    choices = [kind for choice in field.get("anyOf", [field]) for kind in _json_one(choice).split(" or ")]
    return " or ".join(sorted(dict.fromkeys(choices), key="null".__eq__))


def _json_one(choice: Mapping[str, Any]) -> str:
    if "$ref" in choice:
        return str(choice["$ref"]).rpartition("/")[2]
    if "enum" in choice:
        return "one of " + ", ".join(map(str, choice["enum"])) if len(choice["enum"]) > 1 else str(choice["enum"][0])
    kind = choice.get("type", "any value")
    if kind == "array":
        return f"list of {_json_kind(choice['items'])}" if choice.get("items") else "list"
    if kind == "object" and choice.get("additionalProperties"):
        inner = choice["additionalProperties"]
        return f"object of {_json_kind(inner)}" if isinstance(inner, dict) and inner else "object"
    return str(kind)


# -- commands and keys


def commands(_: str) -> Iterator[str]:
    """The commands of the program, as its help has them."""
    for form, text in program_commands().items():
        yield item(f"`{form}`", text)


def program_commands() -> dict[str, str]:
    """Each command with what may follow, and what it does."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        main(["--help"])
    listed = said.getvalue().split("\ncommands:\n", 1)[1].split("\n\n", 1)[0]
    found = {}
    for line in listed.split("\n"):
        form, text = re.split(r"\s{2,}", line.strip(), maxsplit=1)
        found[form] = text
    return found


def ctl(_: str) -> Iterator[str]:
    """The commands that steer a run."""
    for form in COMMANDS.values():
        yield item(f"`{form}`", form.help)


def live_keys(name: str) -> Iterator[str]:
    """The keys of one group."""
    group: Group = next(group for group in (*GROUPS, REPLAY) if group.name == name)
    for key in group.keys:
        shown = [key.shown] if "shift" in key.shown or key.shown.isalpha() else key.shown.split(" ")
        yield item(" ".join(f"`{one}`" for one in shown), key.help)


def panes(_: str) -> Iterator[str]:
    """The panes with the key of each and what they show."""
    for entry in by_key():
        about = ABOUT.get(entry.name)
        yield item(f"`{entry.key}` {entry.name}", " ".join(about.lines) if about is not None else "")


# -- where they are listed


def pages(folder: str) -> Iterator[str]:
    """The pages of the reference, linked."""
    for page in read_pages():
        yield item(f"[{page.name}]({folder}/{page.name}.md)", page.about)


BLOCKS: dict[str, Callable[[str], Iterator[str]]] = {
    "keys": keys,
    "environment": environment,
    "metrics": metrics,
    "units": units,
    "k6": k6,
    "summary": summary,
    "commands": commands,
    "ctl": ctl,
    "live": live_keys,
    "panes": panes,
    "pages": pages,
}
