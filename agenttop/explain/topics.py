"""Finds topics: pages, their sections, and the entries of their lists, each by the names people use.

An entry is a list item that begins with code, whose first word is its name: ``- `think_time` (range, 0s): …``. The code
of the heading above it goes before that: under ``## `[[pools]]` `` it is ``pools.think_time``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from agenttop.explain.pages import Page

_HEADING = re.compile(r"(#+) (.+)")
_ITEM = re.compile(r"- (`[^`]+`(?:,? `[^`]+`)*)")
_CODE = re.compile(r"`([^`]+)`")
#: Nearest names that are offered.
MAX_OFFERED = 3
#: Names of fewer letters, such as keys, are near to everything.
MIN_OFFERED = 3


@dataclass(frozen=True, slots=True)
class Topic:
    """Something with a name, and the Markdown about it."""

    names: tuple[str, ...]
    page: str
    heading: str
    """The heading it stands under, as Markdown; "" for a page or a section, which have their own."""
    text: str


def topics_of(pages: Sequence[Page]) -> list[Topic]:
    """Return every topic of the pages, in their order: each page, then its sections and entries."""
    return [topic for page in pages for topic in (Topic((page.name,), page.name, "", page.text), *_inside(page))]


def find(query: str, topics: Sequence[Topic]) -> list[Topic]:
    """Return the topics of a query, the best first; empty if there is nothing of the kind.

    The page of that name; else what is called so, in full or by its last parts; else what is called so but for parts
    left out (``pools.post``) or more than there are, as with the name of a pool (``pools.chat.think_time``). Several
    words may be parts as well (``ctl users``), and a page one of them.
    """
    page = next((topic for topic in topics if topic.page == topic.names[0] and _same(query, topic.page)), None)
    if page is not None:
        return [page]
    plain, parts = _plain(query), _plain(query).split(".")

    def called(look: Callable[[str], bool]) -> list[Topic]:
        return [topic for topic in topics if any(map(look, (*topic.names, f"{topic.page}.{topic.names[0]}")))]

    found = called(lambda name: _same(name, query))
    found += called(lambda name: bool(plain) and _plain(name).endswith("." + plain))
    found = list(dict.fromkeys(found))
    found = found or called(lambda name: _within(parts, _plain(name).split(".")))
    found = found or called(lambda name: _within(_plain(name).split("."), parts))
    return found if found or " " not in query.strip() else find(".".join(query.split()), topics)


def nearest(query: str, topics: Sequence[Topic]) -> list[str]:
    """Return the names nearest to a query that finds nothing, the nearest first; perhaps none."""
    by_plain: dict[str, str] = {}
    for name in names(topics):
        if len(name) >= MIN_OFFERED:
            by_plain.setdefault(_plain(name), name)
            by_plain.setdefault(_plain(name).rpartition(".")[2], name.rpartition(".")[2])
    word = _plain(query)
    close = difflib.get_close_matches(word, by_plain, n=MAX_OFFERED, cutoff=0.7)
    close += [name for name in by_plain if len(word) >= MIN_OFFERED and word in name]
    close += difflib.get_close_matches(word.rpartition(".")[2], by_plain, n=MAX_OFFERED, cutoff=0.7)
    return list(dict.fromkeys(by_plain[name] for name in close))[:MAX_OFFERED]


def names(topics: Sequence[Topic]) -> list[str]:
    """Return every name, each once, in the order of the topics."""
    return list(dict.fromkeys(name for topic in topics for name in topic.names))


def _inside(page: Page) -> Iterator[Topic]:
    """Yield the sections and entries of a page."""
    lines = page.text.split("\n")
    code = _fenced(lines)
    headings = [(at, match) for at, line in enumerate(lines) if not code[at] and (match := _HEADING.fullmatch(line))]
    for number, (at, match) in enumerate(headings):
        depth = len(match[1])
        own = headings[number + 1][0] if number + 1 < len(headings) else len(lines)
        end = next((other for other, later in headings[number + 1 :] if len(later[1]) <= depth), len(lines))
        called = tuple(found.strip("[]") for found in _CODE.findall(match[2]))
        if depth > 1:
            yield Topic(called or (_slug(match[2]),), page.name, "", "\n".join(lines[at:end]).strip())
        for first in range(at + 1, own):
            item = None if code[first] else _ITEM.match(lines[first])
            if item is None:
                continue
            last = next((n for n in range(first + 1, own) if not lines[n].startswith("  ")), own)
            text = "\n".join(lines[first:last]).rstrip()
            words = [code.split()[0] for code in _CODE.findall(item[1])]
            yield Topic(tuple(_full(words, called)), page.name, lines[at], text)


def _full(items: Sequence[str], prefixes: Sequence[str]) -> Iterator[str]:
    """Yield the names of an entry, behind those of its heading."""
    for item in items:
        yield from (f"{prefix}.{item}" for prefix in prefixes) if prefixes else (item,)


def _fenced(lines: Sequence[str]) -> list[bool]:
    """Return for each line whether it is in a block of code."""
    fenced, inside = [], False
    for line in lines:
        fence = line.lstrip().startswith("```")
        fenced.append(inside or fence)
        inside ^= fence
    return fenced


def _same(one: str, other: str) -> bool:
    return one == other or (bool(_plain(one)) and _plain(one) == _plain(other))


@cache
def _plain(name: str) -> str:
    """Return a name without what people add or leave out: case, brackets, and what stands between its words."""
    return re.sub(r"[\s_-]+", "_", re.sub(r"[\[\]{}<>`\"']", "", name).strip().lower()).strip("_")


def _slug(heading: str) -> str:
    return re.sub(r"[^\w.]+", "-", heading.lower()).strip("-")


def _within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Return whether ``part`` is ``whole`` with some of its middle left out; both ends are the same, and there are
    two.
    """
    if len(part) < 2 or part[0] != whole[0] or part[-1] != whole[-1]:
        return False
    rest = iter(whole)
    return all(word in rest for word in part)
