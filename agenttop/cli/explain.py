"""``agenttop explain``: prints the reference, a topic at a time: in colours on a terminal, else as Markdown."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence

from agenttop.cli.arguments import is_light
from agenttop.exits import DONE, UsageError
from agenttop.explain.pages import Page, read_pages
from agenttop.explain.topics import Topic, find, names, nearest, topics_of
from agenttop.view.pipes import say


def explain_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop explain``."""
    parser.description = (
        "The reference: what a key, a metric, a dialect, an outcome, a command or a file is. Without a topic: what "
        "there is. As Markdown where it does not go to a terminal."
    )
    parser.add_argument("topic", metavar="TOPIC", nargs="*", help="such as ttft, pools.think_time or openai.chat")
    parser.add_argument("--list", action="store_true", help="every topic, one a line, for completion")
    parser.set_defaults(command=explain)
    return parser


def explain(options: argparse.Namespace) -> int:
    """Print a topic, or the list of topics; return the exit code.

    Raises:
        UsageError: there is no such topic; the message names the nearest.
    """
    pages = read_pages()
    topics = topics_of(pages)
    query = " ".join(options.topic)
    if options.list:
        say("\n".join(names(topics)), sys.stdout)
        return DONE
    if not query.strip():
        text = contents(pages)
    else:
        found = find(query, topics)
        if not found:
            raise UsageError(unknown(query, topics))
        text = together(found)
    say(_shown(text) if sys.stdout.isatty() else text, sys.stdout)
    return DONE


def contents(pages: Sequence[Page]) -> str:
    """Return the list of topics as Markdown: a page a line."""
    head = "# agenttop explain TOPIC: one of these, or any key, metric, dialect, file …"
    return "\n".join((head, *(f"- `{page.name}`: {page.about}" for page in pages)))


def together(found: Sequence[Topic]) -> str:
    """Return topics as one piece of Markdown: each entry under its heading, and a reference to its page."""
    parts: list[str] = []
    heading = ""
    for topic in found:
        if topic.heading and topic.heading != heading:
            place = topic.heading.lstrip("# ")
            parts += ["", f"## {topic.page}" + (f": {place}" if place != topic.page else ""), ""]
        elif not topic.heading:
            parts.append("")
        heading = topic.heading
        parts.append(topic.text)
    pages = dict.fromkeys(topic.page for topic in found if topic.names != (topic.page,))
    if pages:
        parts += ["", "More: " + ", ".join(f"`agenttop explain {page}`" for page in pages)]
    return "\n".join(parts).strip()


def unknown(query: str, topics: Sequence[Topic]) -> str:
    """Return the error for an unknown topic, in one line."""
    near = nearest(query, topics)
    offered = " or ".join((", ".join(near[:-1]), near[-1])) if len(near) > 1 else "".join(near)
    hint = f"did you mean {offered}?" if near else "agenttop explain lists what there is"
    return f"there is no topic {query!r}; {hint}"


def _shown(text: str) -> str:
    """Return Markdown formatted for this terminal."""
    from agenttop.cli.markdown import render

    return render(text, shutil.get_terminal_size().columns, light=is_light(None))
