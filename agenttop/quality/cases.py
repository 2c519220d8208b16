"""Reads files of cases, of whatever format: all cases, and all problems at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from agenttop.quality.case import Case
from agenttop.quality.drafts import MAX_CASES, CaseFile, Draft, Read
from agenttop.quality.formats import braintrust, inspect, openai_evals, ours, promptfoo
from agenttop.quality.formats.promptfoo_csv import read_promptfoo_csv
from agenttop.quality.graders.similar import by_embeddings
from agenttop.quality.packages import MissingPackage
from agenttop.quality.problem import CaseProblem
from agenttop.quality.records import MAX_TEXT, Record, csv_rows, json_lines, yaml_tree

#: Fields of any format, for the nearest to a mistyped one.
FIELDS = tuple(dict.fromkeys((*ours.FIELDS, "assert", *inspect.FIELDS, *braintrust.FIELDS, *openai_evals.FIELDS)))
SUFFIXES = (".jsonl", ".yaml", ".yml", ".csv", ".json")
#: A name of metadata of so many values is no slice: an address, a number of an order.
MAX_VALUES_OF_SLICE = 50


class Cases(msgspec.Struct, frozen=True):
    """What files of cases hold."""

    cases: tuple[Case, ...] = ()
    """In the order of the files; usable only where there are no problems."""
    problems: tuple[CaseProblem, ...] = ()
    notes: tuple[str, ...] = ()
    """What the reader should know, a line each."""

    @property
    def by_id(self) -> dict[str, Case]:
        """Return the cases by id."""
        return {case.id: case for case in self.cases}

    @property
    def slices(self) -> Counter[str]:
        """Return how many cases each slice has, ``name=value`` and tags; in the order in which they come."""
        return Counter(name for case in self.cases for name in slices_of_case(case))

    @property
    def graders(self) -> Counter[str]:
        """Return how often each grader is used, ``not-`` forms by themselves."""
        return Counter(
            f"not-{spec.type}" if spec.negated else spec.type for case in self.cases for spec in case.graders
        )

    @property
    def judge_calls(self) -> int:
        """Return how many calls of the judge's endpoint it takes at most to grade every case once."""
        return sum(spec.type == "judge" or by_embeddings(spec) for case in self.cases for spec in case.graders)


def slices_of_case(case: Case) -> tuple[str, ...]:
    """Return the slices that a case counts in: its tags, and ``name=value``."""
    return tuple(dict.fromkeys((*case.tags, *(f"{name}={value}" for name, value in case.slices.items()))))


def read_cases(files: Iterable[tuple[str, str]], *, read: Read | None = None) -> Cases:
    """Return the cases of files, given as pairs of path and text. No file is opened here.

    Args:
        files: paths (for messages; the suffix says whether it is JSON lines, YAML, JSON or CSV) and texts.
        read: returns the text of a file that one of them names (``file://…`` of promptfoo), by its path beside that
            of the file, and raises OSError or ValueError; without it they are refused.

    A case without an id gets one of its first words and a digest of what it asks.
    """
    problems: list[CaseProblem] = []
    drafts: list[Draft] = []
    notes: list[str] = []
    for path, text in files:
        file = CaseFile(path, read)
        try:
            _read(file, text)
        except MissingPackage as missing:
            file.fault(0, str(missing))
        except RecursionError:
            file.fault(0, "it is nested too deep")
        if not file.drafts and not file.problems:
            file.fault(0, "there are no cases in it")
        problems += file.problems
        drafts += file.drafts
        notes += file.notes
    if len(drafts) > MAX_CASES:
        problems.append(CaseProblem(path, 0, "", f"{len(drafts):,} cases; {MAX_CASES:,} are the most"))
        drafts = drafts[:MAX_CASES]
    cases = _named(drafts, problems, notes)
    order = {path: number for number, path in enumerate(dict.fromkeys(problem.file for problem in problems))}
    problems.sort(key=lambda problem: (order[problem.file], problem.line))
    return Cases(tuple(_sliced(cases, notes)), tuple(dict.fromkeys(problems)), tuple(notes))


def _read(file: CaseFile, text: str) -> None:
    """Add the cases of one file, its format recognised by its name and fields."""
    text = text.removeprefix("\ufeff")
    lowered = file.path.lower()
    if len(text) > MAX_TEXT:
        file.fault(0, f"a file of cases has at most {MAX_TEXT >> 20} MiB")
    elif lowered.endswith(".jsonl"):
        records = json_lines(text, file.fault)
        _records(file, records)
    elif lowered.endswith(".csv"):
        header, rows = csv_rows(text, file.fault)
        if {"input", "target"} <= set(header) and set(header) <= set(inspect.FIELDS):
            inspect.read_inspect(file, rows, FIELDS)
        else:
            read_promptfoo_csv(file, header, rows)
    elif lowered.endswith((".yaml", ".yml", ".json")):
        tree = yaml_tree(text, file.fault)
        if tree is not None:
            _tree(file, tree)
    else:
        file.fault(0, f"a file of cases ends with {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")


def _tree(file: CaseFile, tree: Record) -> None:
    """Add the cases of a YAML or JSON file: a list of them, or a configuration of promptfoo."""
    if isinstance(tree.value, dict):
        if "cases" in tree.value and not {"tests", "prompts", "providers"} & set(tree.value):
            file.fault(tree.line, "a file of cases is a list of them, without a key above")
        elif "input" in tree.value and "tests" not in tree.value:
            file.fault(tree.line, "a file of cases is a list: write a - before each case")
        else:
            promptfoo.read_config(file, tree)
    elif isinstance(tree.value, list):
        records = [tree.at(index) for index in range(len(tree.value))]
        for record in records:
            if not isinstance(record.value, dict):
                file.fault(record.line, "a case is a table with an input")
        _records(file, [record for record in records if isinstance(record.value, dict)])
    elif tree.value is not None:
        file.fault(tree.line, "a file of cases is a list of them")


def _records(file: CaseFile, records: Sequence[Record]) -> None:
    """Add the cases of a list of tables, of the format that their fields are of."""
    names = {name for record in records for name in record.value}
    if "assert" in names or ("graders" not in names and "input" not in names and names & {"vars", "options"}):
        promptfoo.read_tests(file, records)
    elif "ideal" in names:
        openai_evals.read_openai_evals(file, records, FIELDS)
    elif "expected" in names:
        braintrust.read_braintrust(file, records, FIELDS)
    elif names & {"choices", "metadata", "sandbox", "files", "setup"} and not names & {"graders", "vars", "slices"}:
        inspect.read_inspect(file, records, FIELDS)
    else:
        ours.read_ours(file, records, FIELDS)


def _named(drafts: Sequence[Draft], problems: list[CaseProblem], notes: list[str]) -> list[Case]:
    """Return the cases with ids that are there once: one given twice is a problem, one of ours gets a number."""
    given: dict[str, str] = {}
    numbers: Counter[str] = Counter()
    cases = []
    for draft in drafts:
        case = draft.case
        if not draft.made:
            if case.id in given:
                file = case.place.rpartition(":")[0]
                problems.append(
                    CaseProblem(file, draft.line, case.id, f"the id is there twice; {given[case.id]} has it")
                )
            given.setdefault(case.id, case.place)
    for draft in drafts:
        case = draft.case
        if draft.made:
            name = case.id
            while case.id in given:
                numbers[name] += 1
                case = msgspec.structs.replace(case, id=f"{name}-{numbers[name] + 1}")
            given[case.id] = case.place
        cases.append(case)
    made = sum(draft.made for draft in drafts)
    if made:
        notes.append(
            f"{made} of {len(drafts)} cases have no id and got one of their first words and a digest of what they ask"
        )
    return cases


def _sliced(cases: Sequence[Case], notes: list[str]) -> Iterable[Case]:
    """Yield the cases without slices by names that are different in nearly each: they would be cases, not slices."""
    values: dict[str, set[str]] = {}
    for case in cases:
        for name, value in case.slices.items():
            values.setdefault(name, set()).add(value)
    dropped = sorted(name for name, known in values.items() if len(known) > MAX_VALUES_OF_SLICE)
    notes += [
        f"{name} has {len(values[name])} values and is no slice; {MAX_VALUES_OF_SLICE} are the most" for name in dropped
    ]
    for case in cases:
        kept: dict[str, Any] = {name: value for name, value in case.slices.items() if name not in dropped}
        yield case if len(kept) == len(case.slices) else msgspec.structs.replace(case, slices=kept)
