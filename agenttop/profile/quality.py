"""Checks ``[quality]`` and graded tasks, and reads the cases that they ask."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from agenttop.dialects import DIALECTS
from agenttop.expressions.nearest import nearest
from agenttop.metrics.safe_text import SafeText
from agenttop.profile.certificates import located, unreadable
from agenttop.profile.model import AskedQuality, Profile
from agenttop.profile.normalise import Table
from agenttop.profile.problems import Fault, Loc, Problem, value_at
from agenttop.profile.tables import steps_of, tables
from agenttop.profile.template import OF_CASE, TemplateError, Variable, parse
from agenttop.profile.variables import ANY, texts
from agenttop.quality.case import Case, GraderSpec

if TYPE_CHECKING:  # most profiles have no cases, and what reads them is not read for these
    from agenttop.quality.cases import Cases

#: Columns that every case has.
ALWAYS = ("id", "input", "messages")
#: Bytes of a file of cases that are read.
_MAX_FILE = 256 << 20


@dataclass(slots=True)
class QualityFiles:
    """The cases of one profile."""

    faults: list[Fault] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    read: Cases | None = None
    """What its files hold; None: none could be read."""
    columns: dict[Loc, frozenset[str]] = field(default_factory=dict)
    """Variables of the cases, by the place of the ``graded`` of each graded task."""

    @property
    def cases(self) -> tuple[Case, ...]:
        """Return the cases that could be read."""
        return self.read.cases if self.read is not None else ()

    @property
    def slices(self) -> frozenset[str] | None:
        """Return the slices of the cases; None where none could be read."""
        return frozenset(self.read.slices) if self.cases and self.read is not None else None

    def resolve(self, profile: Profile, secrets: tuple[str, ...]) -> Profile:
        """Return the profile with the cases in it, without the run's secrets."""
        if profile.quality is None:
            return profile
        safe = SafeText(secrets)
        found = tuple(replace(case, id=safe.hide(case.id)) for case in self.cases)
        written = {name: getattr(profile.quality, name) for name in type(profile.quality).model_fields}
        quality = AskedQuality.model_construct(**written, found=found)
        return profile.model_copy(update={"quality": quality})

    def counts(self) -> list[str]:
        """Return what was read, a line each: cases with their slices, graders, and what a judge is asked."""
        read = self.read
        if read is None or not read.cases:
            return []
        slices = _counted(read.slices.most_common())
        lines = [f"{_number(len(read.cases), 'case')}{f' in {len(read.slices)} slices: {slices}' if slices else ''}"]
        lines.append(f"graders: {_counted(read.graders.most_common()) or 'includes, of the target'}")
        if read.judge_calls:
            lines.append(f"{_number(read.judge_calls, 'judge call')} for each time that all cases are asked")
        return lines + list(read.notes)


def cases_of(profile: Profile) -> tuple[Case, ...]:
    """Return the cases of a loaded profile; none without ``[quality]``."""
    return profile.quality.found if isinstance(profile.quality, AskedQuality) else ()


def step_graders(profile: Profile) -> dict[tuple[str, str, int], tuple[GraderSpec, ...]]:
    """Return the graders of steps that have some of their own, by pool, task and number of the graded step."""
    found = {}
    for pool in profile.pools:
        for task in pool.tasks:
            if not task.graded:
                continue
            own = [step.graders for step in task.steps if step.graders is not None]
            for number, graders in enumerate(own):
                if graders:
                    found[pool.name, task.name, number] = _graders(graders)
    return found


def variables_of(case: Case) -> dict[str, str]:
    """Return the variables of a case, as texts; what is no text is JSON."""
    if isinstance(case.input, str):
        messages: Any = [{"role": "user", "content": case.input}]
        said = case.input
    else:
        messages = list(case.input)
        spoken = [message.get("content") for message in messages if message.get("role") == "user"]
        said = _text(spoken[-1]) if spoken else ""
    found = {"id": case.id, "input": said, "messages": msgspec.json.encode(messages).decode()}
    return found | {f"{OF_CASE}{name}": _text(value) for name, value in case.vars.items()}


def used_in(owner: Any) -> set[str]:
    """Return the variables in the texts of a pool, a task or a step."""
    found: set[str] = set()
    for _, text in texts(owner, ()):
        with contextlib.suppress(TemplateError):
            found |= {str(piece) for piece in parse(text) if isinstance(piece, Variable)}
    return found


def check_quality(data: Table, masked: Table, path: Path) -> QualityFiles:
    """Check ``[quality]`` of a normalised profile at ``path`` with its graded tasks, and read its cases; ``masked`` is
    how it may be shown.
    """
    files = QualityFiles()
    quality = data.get("quality")
    graded = list(_graded(data))
    files.faults += _out_of_place(data)
    if quality is None:
        for loc, _, _ in graded:
            files.columns[(*loc, "graded")] = frozenset({ANY})
            text = 'has no cases to ask; write [quality] with cases = "golden.jsonl"'
            files.faults.append(Fault((*loc, "graded"), text))
        return files
    if not graded:
        python = any("python" in pool for pool in tables(data.get("pools")))
        text = "no task asks its cases; write graded = true in a task"
        also = " (users in Python cannot be graded yet)" if python else ""
        files.faults.append(Fault(("quality",), text + also))
    if isinstance(quality, dict):
        files.read = _read(files, quality, masked, path)
        files.faults += _judge(quality, files.cases, [task for _, task, _ in graded], path)
    cases = files.cases
    for loc, task, pool in graded:
        files.columns[(*loc, "graded")] = _columns(cases)
        files.faults += _task(task, pool, loc, data)
        if not files.problems:
            files.problems += _lacking(task, cases, str(path))
        files.warnings += _untold(task, pool, data, cases)
    return files


def _graded(data: Table) -> Iterator[tuple[Loc, Table, Table]]:
    """Yield every graded task with its place and its pool."""
    for index, pool in enumerate(tables(data.get("pools"))):
        for number, task in enumerate(tables(pool.get("tasks"))):
            if task.get("graded") is True:
                yield ("pools", index, "tasks", number), task, pool


def _out_of_place(data: Table) -> Iterator[Fault]:
    """Yield the faults of keys that only a graded task may have."""
    for index, pool in enumerate(tables(data.get("pools"))):
        loc: Loc = ("pools", index)
        plain = {number for number, task in enumerate(tables(pool.get("tasks"))) if task.get("graded") is not True}
        for place, step in steps_of(pool, loc):
            if "graders" in step and (place[2] != "tasks" or place[3] in plain):
                yield Fault((*place, "graders"), "belongs to a step of a task with graded = true")
        for number in plain:
            if "answer" in tables(pool.get("tasks"))[number]:
                yield Fault((*loc, "tasks", number, "answer"), "goes with graded = true")


def _task(task: Table, pool: Table, loc: Loc, data: Table) -> Iterator[Fault]:
    """Yield the faults of a graded task in itself."""
    if "data" in task:
        text = "a graded task has the columns of its case; leave data out, or give it to the pool"
        yield Fault((*loc, "data"), text)
    if task.get("history") not in (None, False, "task"):
        text = 'cases would hear each other in one conversation; write history = "task"'
        yield Fault((*loc, "history"), text)
    if task.get("weight") == 0:
        yield Fault((*loc, "weight"), "is zero, so that none of its cases would ever be asked")
    steps = tables(task.get("steps"))
    answered = [number for number, step in enumerate(steps) if is_answered(step)]
    if steps and not answered:
        yield Fault((*loc, "graded"), "none of its steps awaits an answer that could be graded")
    used = used_in([step for step in steps if isinstance(step, dict)])
    if not used & {*ALWAYS} and not any(name.startswith(OF_CASE) for name in used):
        yield Fault((*loc, "graded"), 'no column of its cases is sent; write such as json = { content = "{input}" }')
    for number, step in enumerate(steps):
        place = (*loc, "steps", number, "graders")
        if "graders" not in step:
            continue
        if not is_answered(step):
            yield Fault(place, "needs an answer, and this awaits none")
        told: list[tuple[int, str]] = []
        _graders(step["graders"], told)
        for index, text in told:
            yield Fault((*place, index), text)
    own = [step for step in steps if "graders" in step] or [steps[number] for number in answered[-1:]]
    yield from _answer(task, own, pool, loc, data)


def _answer(task: Table, graded: list[Table], pool: Table, loc: Loc, data: Table) -> Iterator[Fault]:
    """Yield a fault where nobody says what the text of an answer is."""
    usual = pool.get("dialect", data.get("dialect", "json"))
    names = {str(step.get("dialect", usual)) for step in graded}
    unknown = sorted(name for name in names if name in DIALECTS and DIALECTS[name].collector() is None)
    if "answer" in task:
        if task.get("history") and not unknown:
            yield Fault(
                (*loc, "answer"), "a conversation keeps its answers in the form of its dialect; leave answer out"
            )
        if task["answer"] == "body" and not unknown:
            yield Fault(
                (*loc, "answer"), f"dialect {min(names)} says what the text is; leave it out, or write a JSONPath"
            )
    elif unknown and not _measures("first_token", pool, data):
        text = (
            f'dialect {unknown[0]} does not say what the text is; write answer = "$.content", or "body" for all of it'
        )
        yield Fault((*loc, "answer"), text)


def _graders(value: Any, told: list[tuple[int, str]] | None = None) -> tuple[GraderSpec, ...]:
    """Return the graders of a step; ``told`` gets what is wrong with them."""
    from agenttop.quality.specs import read_graders

    return read_graders(value, lambda index, text: told.append((index, text)) if told is not None else None)


def _measures(key: str, pool: Table, data: Table) -> bool:
    """Return whether ``[measure]`` has a key; a pool's own takes the place of the profile's."""
    measure = pool["measure"] if "measure" in pool else data.get("measure")
    return isinstance(measure, dict) and key in measure


def _untold(task: Table, pool: Table, data: Table, cases: tuple[Case, ...]) -> Iterator[str]:
    """Yield a warning for each kind of grader that asks what neither the dialect nor ``[measure]`` tells."""
    usual = pool.get("dialect", data.get("dialect", "json"))
    steps = tables(task.get("steps"))
    own = [step for step in steps if isinstance(step.get("graders"), list)]
    names = {str(step.get("dialect", usual)) for step in own or steps[-1:]}
    if not any(name in DIALECTS and DIALECTS[name].collector() is None for name in names):
        return
    from agenttop.quality.graders import graders

    known = graders()
    given = [case.graders for case in cases] + [_graders(step["graders"]) for step in own]
    asked = [{spec.type for spec in each} for each in given]
    for key, nothing, wanted in (
        ("finish", "nothing tells why an answer ended", {"finish-reason"}),
        ("tool_calls", "nothing tells of any tool call", {name for name in known if known[name].tools}),
    ):
        types = " and ".join(sorted(wanted & set().union(*asked)))
        if types and not _measures(key, pool, data):
            where = f"{pool.get('name')}/{task.get('name')}"
            yield f"{where}: {types} cannot be graded, as {nothing}: write {key} into [measure]"


def is_answered(step: Table) -> bool:
    """Return whether a step of a normalised profile awaits an answer of the agent's."""
    return "method" in step or ("send" in step and step.get("wait") is not False)


def _judge(quality: Table, cases: tuple[Case, ...], graded: list[Table], path: Path) -> Iterator[Fault]:
    judge = quality.get("judge")
    wanted = next((case for case in cases for spec in case.graders if _asks(spec)), None)
    by_step = any(
        _asks(spec)
        for task in graded
        for step in tables(task.get("steps"))
        if isinstance(step.get("graders"), list)
        for spec in _graders(step["graders"])
    )
    if judge is None and (wanted is not None or by_step):
        who = f'case "{wanted.id}" ({wanted.place})' if wanted is not None else "a step"
        text = f"{who} has a grader that asks a model; write [quality.judge] with its target and model"
        yield Fault(("quality",), text)
    if not isinstance(judge, dict):
        return
    loc: Loc = ("quality", "judge")
    if "max_cost_usd" in judge and "price" not in judge:
        text = "needs a price: price = { input = 0.15, output = 0.60 }, in USD per million tokens"
        yield Fault((*loc, "max_cost_usd"), text)
    if isinstance(name := judge.get("calibration"), str):
        problem = unreadable(located(path.resolve().parent, name), name)
        if problem is None and not name.endswith(".jsonl"):
            problem = f"expected a file whose name ends in .jsonl, not {name}"
        if problem is not None:
            yield Fault((*loc, "calibration"), problem)


def _asks(spec: GraderSpec) -> bool:
    return spec.type == "judge" or spec.options.get("by") == "embeddings"


def _read(files: QualityFiles, quality: Table, masked: Table, path: Path) -> Cases | None:
    """Read the files of cases; what is wrong is added to ``files``."""
    names = quality.get("cases")
    several = isinstance(names, list)
    if names == []:
        files.faults.append(Fault(("quality", "cases"), 'names no file; write such as cases = "golden.jsonl"'))
    pairs: list[tuple[str, str]] = []
    folders: list[Path] = []
    for index, name in enumerate(names if isinstance(names, list) else [names]):
        if not isinstance(name, str):
            continue
        at: Loc = ("quality", "cases", index) if several else ("quality", "cases")
        written = str(value_at(masked, at))
        file = located(path.resolve().parent, name)
        shown = str(path.parent / written)
        text = _text_of(file, written)
        if isinstance(text, Fault):
            files.faults.append(Fault(at, text.message))
        elif shown in dict(pairs):
            files.faults.append(Fault(at, f"{written} is there twice"))
        else:
            pairs.append((shown, text))
            folders.append(file.parent)
    if not pairs:
        return None
    from agenttop.quality.cases import read_cases

    read = read_cases(pairs, read=lambda name: _beside(folders, name))
    for problem in read.problems:
        what = f'case "{problem.case}": ' if problem.case else ""
        files.problems.append(Problem(problem.file, "", what + problem.message, problem.line or None))
    return read


def _text_of(file: Path, written: str) -> str | Fault:
    """Return the text of a file of cases, or what keeps it from being read."""
    with contextlib.suppress(OSError, ValueError):
        found = file.stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            return Fault((), f"{written} is no regular file")
        if found.st_size > _MAX_FILE:
            return Fault((), f"{written} has more than {_MAX_FILE >> 20} MiB")
    problem = unreadable(file, written)
    if problem is not None:
        return Fault((), problem)
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = file.read_bytes()[: error.start].count(b"\n") + 1
        return Fault((), f"{written} is not UTF-8 text (at line {line})")
    except OSError as error:
        return Fault((), f"{written} cannot be read: {error.strerror or 'no reason given'}")


def _beside(folders: list[Path], name: str) -> str:
    """Return the text of a file that one of cases names, from the folder of the first that has it."""
    for folder in folders:
        file = located(folder, name)
        if file.is_file():
            return file.read_text(encoding="utf-8-sig")
    raise OSError(0, "there is no such file beside the cases")


def _columns(cases: tuple[Case, ...]) -> frozenset[str]:
    """Return the variables of cases; anything is known where they could not be read."""
    if not cases:
        return frozenset({ANY})
    return frozenset(ALWAYS) | {f"{OF_CASE}{name}" for case in cases for name in case.vars}


def _lacking(task: Table, cases: tuple[Case, ...], profile: str) -> Iterator[Problem]:
    """Yield a problem for each variable that the task sends and some cases have not; what none has is another fault."""
    used = sorted(name for name in used_in(tables(task.get("steps"))) if name.startswith(OF_CASE))
    for variable in used:
        name = variable.removeprefix(OF_CASE)
        without = [case for case in cases if name not in case.vars]
        if not without or len(without) == len(cases):
            continue
        first = without[0]
        file, _, line = first.place.rpartition(":")
        others = f" (nor have {len(without) - 1} others)" if len(without) > 1 else ""
        task_name = task.get("name")
        text = f'case "{first.id}": has no {variable}{nearest(name, first.vars)}, which task {task_name} sends{others}'
        yield Problem(file or profile, "", text, int(line) if line.isdecimal() else None)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _counted(counts: list[tuple[str, int]], most: int = 12) -> str:
    more = f" and {len(counts) - most} more" if len(counts) > most else ""
    return ", ".join(f"{name} {count}" for name, count in counts[:most]) + more


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
