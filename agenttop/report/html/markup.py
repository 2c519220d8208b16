"""Makes HTML of elements, so that no text becomes markup: whatever is not :class:`Markup` is escaped."""

from __future__ import annotations

from html import escape


class Markup(str):
    """HTML that is made already."""

    __slots__ = ()


def safe(text: str) -> Markup:
    """Return text as HTML that shows it: controls, half characters and marks that turn writing round become spaces."""
    return Markup(escape("".join(char if char.isprintable() or char == "\n" else " " for char in text)))


def el(tag: str, *children: str | None, **attributes: object) -> Markup:
    """Return an element.

    Args:
        tag: its name.
        children: text, or what this has returned; None is left out.
        attributes: their values; None leaves one out, True is one without a value. ``class_`` is ``class``, an
            underscore within a name a hyphen.
    """
    named = "".join(
        f" {_name(name)}" if value is True else f' {_name(name)}="{safe(str(value))}"'
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    inner = "".join(child if isinstance(child, Markup) else safe(child) for child in children if child is not None)
    return Markup(f"<{tag}{named}>{inner}</{tag}>")


def joined(*parts: str | None, between: str = "\n") -> Markup:
    """Return parts one after the other."""
    return Markup(between.join(part if isinstance(part, Markup) else safe(part) for part in parts if part is not None))


def _name(name: str) -> str:
    return name.removesuffix("_").replace("_", "-")
