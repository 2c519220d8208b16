"""Cases of promptfoo (https://www.promptfoo.dev/docs/configuration/test-cases): a configuration in YAML with ``tests``,
``defaultTest`` and perhaps one prompt; a list of tests; tests as JSON lines.

A variable that is a list stands for a case each, in all combinations. Without a prompt, the input is the variable that
is called so (``input``, ``question``, …), or the only one; requests are made of ``{vars.NAME}`` all the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from agenttop.expressions.nearest import nearest
from agenttop.quality.case import GraderSpec
from agenttop.quality.drafts import CaseFile, question_in, shown_id, slices_of
from agenttop.quality.formats.promptfoo_assertions import read_assertion
from agenttop.quality.formats.promptfoo_csv import read_promptfoo_csv
from agenttop.quality.formats.templates import TemplateError, fill, filled
from agenttop.quality.graders.base import plain
from agenttop.quality.records import Record, csv_rows, json_lines, yaml_tree

FIELDS = (
    "vars",
    "assert",
    "description",
    "metadata",
    "threshold",
    "options",
    "id",
    "providers",
    "provider",
    "prompts",
)
#: Keys of a configuration that say nothing about cases.
_CONFIG = (
    "tests",
    "prompts",
    "providers",
    "targets",
    "defaultTest",
    "description",
    "assertionTemplates",
    "outputPath",
    "evaluateOptions",
    "commandLineOptions",
    "sharing",
    "env",
    "tags",
    "metadata",
    "derivedMetrics",
    "writeLatestResults",
    "tracing",
    "$schema",
)
#: Options of a test that do not change what its output is.
_OPTIONS = ("provider", "prefix", "suffix", "disableDefaultAsserts", "disableVarExpansion", "runSerially", "repeat")
_FILE = "file://"
_PROMPT_FILES = (".txt", ".json", ".md", ".yaml", ".py", ".js")
#: Cases that the lists among one test's variables may stand for.
MAX_COMBINATIONS = 10_000


def read_config(file: CaseFile, config: Record) -> None:
    """Add the cases of a configuration."""
    for key in config.value:
        if key in ("scenarios", "redteam", "nunjucksFilters", "extensions"):
            file.fault(config.line_at(key), f'"{key}" is not read; write its tests out under tests')
        elif key not in _CONFIG:
            file.fault(config.line_at(key), f'unknown field "{key}"{nearest(key, (*_CONFIG, *FIELDS))}')
    default = _table(file, config, "defaultTest")
    prompt = _prompt(file, config)
    tests = config.value.get("tests")
    if isinstance(tests, str):
        _named(file, tests, config.line_at("tests"), default, prompt)
    elif isinstance(tests, list):
        read_tests(file, [config.at("tests", index) for index in range(len(tests))], default, prompt)
    else:
        file.fault(config.line_at("tests"), "there are no tests: a list of cases under tests")


def read_tests(file: CaseFile, tests: Sequence[Record], default: Record | None = None, prompt: Any = None) -> None:
    """Add a list of tests; ``default`` is what all have, ``prompt`` what is asked."""
    for test in tests:
        if isinstance(test.value, str):
            _named(file, test.value, test.line, default, prompt)
        elif isinstance(test.value, dict):
            _Test(file, test, default, prompt).add()
        else:
            file.fault(test.line, "a test is a table with vars and assert")


class _Test:
    """One test of promptfoo: a case, or one for each combination of its variables."""

    def __init__(self, file: CaseFile, test: Record, default: Record | None, prompt: Any) -> None:
        self.file, self.test, self.prompt = file, test, prompt
        self.fields: dict[str, Any] = test.value
        self.default: dict[str, Any] = default.value if default else {}
        self.default_record = default
        self.name = shown_id(self.fields.get("id"))

    def say(self, message: str, *path: str | int) -> None:
        self.file.fault(self.test.line_at(*path), message, self.name)

    def merged(self, key: str) -> dict[str, Any]:
        """Return a table of the default test with this one's over it."""
        mine, given = self.fields.get(key), self.default.get(key)
        if isinstance(mine, str) and mine.startswith(_FILE):
            mine = _loaded(self.file, mine, self.test.line_at(key))
        if mine is not None and not isinstance(mine, dict):
            self.say(f"{key} is a table", key)
            mine = {}
        return {**(given if isinstance(given, dict) else {}), **(mine or {})}

    def add(self) -> None:
        for key in self.fields:
            if key not in FIELDS:
                self.say(f'unknown field "{key}"{nearest(key, FIELDS)}', key)
        options = self.merged("options")
        for key in options:
            if key not in _OPTIONS:
                self.say(f'the option "{key}" is not read: it would change what is graded', "options", key)
        variables = self.variables()
        tags, slices = slices_of(self.merged("metadata"))
        description = plain(self.fields.get("description") or self.default.get("description") or "")
        for number, one in enumerate(self.combinations(variables, options), 1):
            try:
                question = _question(self.prompt, one)
            except TemplateError as error:
                self.say(f"the prompt: {error}")
                question = ""
            if isinstance(question, str):
                question = f"{options.get('prefix') or ''}{question}{options.get('suffix') or ''}"
            specs, whole = self.graders(one, options)
            self.file.add(
                self.test.line,
                id=f"{self.name}-{number}" if self.name and number > 1 else self.fields.get("id"),
                input=question,
                vars=one,
                tags=tags,
                slices=slices,
                threshold=self.fields.get("threshold", self.default.get("threshold")),
                graders=specs,
                description=description,
                graded=whole,
            )

    def variables(self) -> dict[str, Any]:
        """Return the variables, with what is in files."""
        found = self.merged("vars")
        for name, value in list(found.items()):
            if isinstance(value, str) and value.startswith(_FILE):
                found[name] = _loaded(self.file, value, self.test.line_at("vars", name))
        return found

    def combinations(self, variables: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the variables of each case; texts are filled in with each other."""
        lists = {
            name: value
            for name, value in variables.items()
            if isinstance(value, list) and value and not all(isinstance(one, dict) and "role" in one for one in value)
        }
        if options.get("disableVarExpansion"):
            lists = {}
        count = 1
        for values in lists.values():
            count *= len(values)
        if count > MAX_COMBINATIONS:
            self.say(f"the lists among its vars stand for {count:,} cases; {MAX_COMBINATIONS:,} are the most", "vars")
            return
        for chosen in itertools.product(*lists.values()):
            one = {**variables, **dict(zip(lists, chosen, strict=True))}
            try:
                yield {name: filled(value, one) for name, value in one.items()}
            except TemplateError as error:
                self.say(f"vars: {error}", "vars")

    def graders(self, variables: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[tuple[GraderSpec, ...], bool]:
        """Return the graders of the assertions, the default test's first; and whether there were none at all."""
        found: list[GraderSpec] = []
        count = 0
        given = self.default.get("assert") if not options.get("disableDefaultAsserts") else None
        for source, items, record in (
            ("defaultTest: ", given, self.default_record),
            ("", self.fields.get("assert"), self.test),
        ):
            if items is None or record is None:
                continue
            if not isinstance(items, list):
                self.say(f"{source}assert is a list of assertions")
                continue
            for index, item in enumerate(items):
                count += 1
                line = record.line_at("assert", index)
                say = partial(self.complain, line, source)
                try:
                    whole = self.with_files(filled(item, variables), line)
                except TemplateError as error:
                    say(str(error))
                    continue
                spec = read_assertion(whole, say)
                if spec is not None:
                    found.append(spec)
        return tuple(found), not count

    def complain(self, line: int, source: str, message: str) -> None:
        self.file.fault(line, source + message, self.name)

    def with_files(self, item: Any, line: int) -> Any:
        """Return an assertion with the value that it has in a file of JSON, YAML or text."""
        value = item.get("value") if isinstance(item, dict) else None
        if isinstance(value, str) and value.startswith(_FILE) and value.endswith((".json", ".yaml", ".yml", ".txt")):
            return {**item, "value": _loaded(self.file, value, line)}
        return item


def _question(prompt: Any, variables: Mapping[str, Any]) -> Any:
    """Return what is asked: the prompt with its variables, as messages where it is JSON of messages."""
    if prompt is None:
        return question_in(variables)
    if isinstance(prompt, list):
        return filled(prompt, variables)
    return fill(prompt, variables)


def _prompt(file: CaseFile, config: Record) -> Any:
    """Return the configuration's prompt: a text, or messages; None if it has none, or it cannot be used."""
    prompts = config.value.get("prompts")
    if prompts is None:
        return None
    several = prompts if isinstance(prompts, list) else [prompts]
    line = config.line_at("prompts")
    if len(several) != 1:
        file.fault(
            line,
            f"{len(several)} prompts: a case is asked with one; keep one, or none and write it in the profile's task: "
            'json = { content = "… {vars.NAME} …" }',
        )
        return None
    prompt = several[0].get("raw") if isinstance(several[0], dict) else several[0]
    if not isinstance(prompt, str):
        file.fault(line, "a prompt is a text")
        return None
    if prompt.startswith(_FILE) or (
        " " not in prompt.strip() and prompt.endswith((".txt", ".json", ".md", ".yaml", ".py", ".js"))
    ):
        prompt = _loaded(file, prompt, line, text=True)
    try:
        messages = msgspec.json.decode(prompt)
    except (msgspec.DecodeError, RecursionError):
        return prompt
    return messages if isinstance(messages, list) and all(isinstance(one, dict) for one in messages) else prompt


def _table(file: CaseFile, config: Record, key: str) -> Record | None:
    """Return a table of the configuration, from its file where it is named so; None if there is none."""
    value = config.value.get(key)
    if value is None:
        return None
    line = config.line_at(key)
    if isinstance(value, str) and value.startswith(_FILE):
        value = _loaded(file, value, line)
        return Record(value, line) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        file.fault(line, f"{key} is a table")
        return None
    record = config.at(key)
    for name in value:
        if name not in FIELDS:
            file.fault(record.line_at(name), f'{key}: unknown field "{name}"{nearest(name, FIELDS)}')
    return record


def _named(file: CaseFile, name: str, line: int, default: Record | None, prompt: Any) -> None:
    """Add the tests of a file that is named."""
    text = _text(file, name, line)
    if text is None:
        return
    inner = file.beside(name.removeprefix(_FILE))
    if name.endswith(".csv"):
        read_promptfoo_csv(inner, *csv_rows(text, inner.fault), default=default.value if default else {}, prompt=prompt)
        return
    if name.endswith(".jsonl"):
        read_tests(inner, json_lines(text, inner.fault), default, prompt)
        return
    tree = yaml_tree(text, inner.fault)
    if tree is None:
        return
    if isinstance(tree.value, list):
        tests = [tree.at(index) for index in range(len(tree.value))]
        if any(isinstance(test.value, str) for test in tests):
            inner.fault(tree.line, "a file of tests that names further files is not read")
            return
        read_tests(inner, tests, default, prompt)
    else:
        inner.fault(tree.line, "a file of tests is a list")


def _loaded(file: CaseFile, name: str, line: int, *, text: bool = False) -> Any:
    """Return what is in a named file, JSON and YAML decoded unless ``text`` is wanted; "" if it cannot be read."""
    found = _text(file, name, line)
    if found is None:
        return ""
    if text or not name.endswith((".json", ".yaml", ".yml")):
        return found.strip()
    tree = yaml_tree(found, file.beside(name.removeprefix(_FILE)).fault)
    return "" if tree is None else tree.value


def _text(file: CaseFile, name: str, line: int) -> str | None:
    """Return the text of a file that is named, or None after a problem was noted."""
    path = name.removeprefix(_FILE)
    if path.endswith((".js", ".ts", ".mjs", ".cjs", ".py")) or ".py:" in path:
        file.fault(line, f'"{name}" is a program, which is not run; write out what it gives')
        return None
    if path.endswith((".pdf", ".png", ".jpg", ".jpeg", ".xlsx", ".xls", ".mp4")) or "*" in path or "://" in path:
        file.fault(line, f'"{name}" is not read: only a file of text, CSV, JSON or YAML that is named in full')
        return None
    if file.read is None:
        file.fault(line, f'"{name}" is in another file, which is not read here; write it out')
        return None
    try:
        return file.read(file.beside(path).path)
    except (OSError, ValueError) as error:
        file.fault(line, f'"{name}": {error.strerror if isinstance(error, OSError) and error.strerror else error}')
        return None
