"""Renders Markdown on a terminal, in the colours of the screen and within its width."""

from __future__ import annotations

import os
import re
from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.padding import Padding
from rich.text import Text
from rich.theme import Theme

from agenttop.tui.look import Look, choose

#: Wider lines are hard to read.
MAX_WIDTH = 110
#: A link to another page is its topic's name, which is how it is asked for; an address stays as it is.
_PAGE_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")


class _Heading(Heading):
    """A heading at the left."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(self.text.plain, style=f"markdown.{self.tag}")


class _CodeBlock(CodeBlock):
    """A code block, indented and unchanged."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = Text(str(self.text).rstrip(), style="markdown.code_block", overflow="fold")
        yield Padding(text, (0, 0, 0, 2))


class _Page(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _CodeBlock,
        "code_block": _CodeBlock,
    }


def render(text: str, width: int, *, light: bool = False) -> str:
    """Return Markdown as lines for a terminal of so many columns, none wider.

    ``light``: the terminal's background. ``NO_COLOR`` is honoured, and a terminal of 16 colours.
    """
    console = Console(width=min(width, MAX_WIDTH), force_terminal=True, highlight=False)
    few = console.color_system in (None, "standard")
    console.push_theme(_theme(choose(ansi=few, no_color=bool(os.environ.get("NO_COLOR")), light=light)))
    with console.capture() as capture:
        console.print(_Page(_PAGE_LINK.sub(r"\1", text), hyperlinks=False))
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def _theme(look: Look) -> Theme:
    styles = {
        "h1": look.key,
        "h2": look.key,
        "h3": look.strong,
        "code": look.load,
        "code_block": look.load,
        "strong": look.strong,
        "em": look.dim,
        "item.bullet": look.faint,
        "hr": look.faint,
        "table.border": look.faint,
        "table.header": look.dim,
        "link": look.text,
        "link_url": look.load,
    }
    return Theme({f"markdown.{name}": style for name, style in styles.items()})
