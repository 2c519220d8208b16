"""A file of cases while it is read: its cases, what is wrong, and what the reader should know."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agenttop.expressions.nearest import nearest
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import is_number, plain
from agenttop.quality.problem import CaseProblem

#: Cases of all files together.
MAX_CASES = 100_000
MAX_ID = 200
#: Characters of a value of metadata that is made a slice of.
MAX_SLICE = 40
#: Variables that are the question where a case has no input; the first one that is there.
QUESTIONS = ("input", "question", "query", "prompt", "message", "text", "content", "request", "user_input")
_ROLES = ("system", "developer", "user", "assistant", "tool")
Read = Callable[[str], str]
"""Returns the text of a file by its path, relative to what the path of the file that names it is relative to; raises
OSError or ValueError."""


@dataclass(slots=True)
class Draft:
    """A case, and whether its id was made by us."""

    case: Case
    line: int
    made: bool


@dataclass(slots=True)
class CaseFile:
    """What has been read of one file."""

    path: str
    read: Read | None = None
    """Reads files that this one names; None: they are refused."""
    problems: list[CaseProblem] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fault(self, line: int, message: str, case: str = "") -> None:
        """Note a problem."""
        self.problems.append(CaseProblem(self.path, line, case, message))

    def beside(self, name: str) -> CaseFile:
        """Return a file that this one names: its cases and problems are this one's."""
        folder = self.path.rpartition("/")[0]
        path = f"{folder}/{name}" if folder and not name.startswith("/") else name
        return CaseFile(path, self.read, self.problems, self.drafts, self.notes)

    def note(self, text: str) -> None:
        """Note what the reader should know, once."""
        if text not in self.notes:
            self.notes.append(text)

    def unknown(self, line: int, case: str, given: Iterable[str], known: Sequence[str], wider: Sequence[str]) -> None:
        """Note fields that the format has not, with the nearest one it has, or that any format has."""
        for name in given:
            if name not in known:
                self.fault(line, f'unknown field "{name}"{nearest(name, known) or nearest(name, wider)}', case)

    def add(
        self,
        line: int,
        *,
        id: Any = None,
        input: Any = "",
        vars: Mapping[str, Any] | None = None,
        target: tuple[str, ...] = (),
        tags: Sequence[str] = (),
        slices: Mapping[str, str] | None = None,
        weight: Any = 1.0,
        threshold: Any = None,
        graders: tuple[GraderSpec, ...] = (),
        description: str = "",
        graded: bool = True,
    ) -> None:
        """Add a case, checked. ``graded``: without graders and a target it is a problem, for nothing would judge it."""
        name = shown_id(id)
        say = partial(self.fault, line, case=name)
        if id is not None and (isinstance(id, bool) or not isinstance(id, str | int) or not str(id).strip()):
            say("the id is a text")
            id = None
        elif id is not None and (len(str(id)) > MAX_ID or not str(id).isprintable()):
            say(f"the id is a printable text of at most {MAX_ID} characters")
            id = None
        question = messages_of(input, say)
        if not is_number(weight):
            say("the weight of a case is a number, 0 or more")
            weight = 1.0
        if threshold is not None and not is_number(threshold, 0, 1):
            say("the threshold of a case is a number from 0 to 1")
            threshold = None
        if not graders and not target and graded:
            say("nothing grades this case: give it a target or graders")
        specs = graders or ((GraderSpec("includes"),) if target else ())
        for spec in specs:
            if spec.type in ("includes", "similar", "choice") and spec.value is None and not target:
                say(f"{spec.type} needs a value, or a target of the case")
        made = id is None
        case = Case(
            id=made_id(question, vars or {}, description) if made else str(id),
            input=question,
            vars=dict(vars or {}),
            target=target,
            tags=tuple(dict.fromkeys(tags)),
            slices=dict(slices or {}),
            weight=float(weight),
            threshold=None if threshold is None else float(threshold),
            graders=specs,
            description=description,
            place=f"{self.path}:{line}",
        )
        self.drafts.append(Draft(case, line, made))


def shown_id(value: Any) -> str:
    """Return an id as a problem names it."""
    return str(value)[:MAX_ID] if isinstance(value, str | int) and not isinstance(value, bool) else ""


def made_id(input: str | tuple[dict[str, Any], ...], vars: Mapping[str, Any], description: str) -> str:
    """Return the id of a case that has none: its first words, and a digest of what is asked.

    It stays the same when cases are added before it, and when its graders change.
    """
    text = input if isinstance(input, str) else plain(input[-1].get("content", "")) if input else ""
    words = description or text or " ".join(plain(value) for value in vars.values())
    slug = re.sub(r"[^\w]+", "-", words[:200].lower()).strip("-_")[:24].rstrip("-_")
    asked = json.dumps([input, vars], ensure_ascii=False, sort_keys=True, default=str)
    digest = hashlib.sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{slug}-{digest}" if slug else digest


def messages_of(value: Any, say: Callable[[str], None]) -> str | tuple[dict[str, Any], ...]:
    """Return an input: a text, or checked messages."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return plain(value)
    if not isinstance(value, list | tuple) or not value or not all(isinstance(message, dict) for message in value):
        say('the input is a text, or messages such as [{"role": "user", "content": "Where is my order?"}]')
        return ""
    for number, message in enumerate(value, 1):
        role, content = message.get("role"), message.get("content")
        if role not in _ROLES:
            say(f"message {number} of the input needs a role: {', '.join(_ROLES)}")
        elif not isinstance(content, str | list) and not (content is None and message.get("tool_calls")):
            say(f"message {number} of the input needs a content")
    return tuple(value)


def targets_of(value: Any) -> tuple[str, ...]:
    """Return right answers: of a list each, of anything else itself."""
    if value is None or value == "" or value == []:
        return ()
    values = value if isinstance(value, list) else [value]
    return tuple(plain(one) for one in values if one is not None and one != "")


def slices_of(metadata: Mapping[str, Any]) -> tuple[list[str], dict[str, str]]:
    """Return the tags and slices of metadata: ``tags`` and lists are tags, short values are slices."""
    tags: list[str] = []
    slices: dict[str, str] = {}
    for name, value in metadata.items():
        if isinstance(value, list):
            texts = [plain(one) for one in value if isinstance(one, str | int | float)]
            tags += [text if name == "tags" else f"{name}={text}" for text in texts if 0 < len(text) <= MAX_SLICE]
        elif isinstance(value, str | int | float | bool):
            text = plain(value)
            if name == "tags":
                tags += [part.strip() for part in text.split(",") if part.strip()]
            elif 0 < len(text) <= MAX_SLICE:
                slices[str(name)] = text
    return tags, slices


def question_in(vars: Mapping[str, Any]) -> Any:
    """Return the variable that is the question: one that is called so, else the only one; else nothing."""
    lowered = {name.lower(): value for name, value in reversed(list(vars.items()))}
    for name in QUESTIONS:
        if isinstance(lowered.get(name), str | list) and lowered[name]:
            return lowered[name]
    only = next(iter(vars.values())) if len(vars) == 1 else ""
    return only if isinstance(only, str) else ""
