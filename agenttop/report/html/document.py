"""Makes a page of HTML that is one file: it loads nothing, and runs nothing but the script in it.

The Content-Security-Policy names the style and the script by their hashes, so that nothing else could run, whatever a
text of a target had become.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from agenttop.report.html.chart import HIGH, LEFT, PLOT_WIDE, SPAN, WIDE
from agenttop.report.html.markup import Markup, el, joined, safe
from agenttop.report.scale import TIME_STEPS


def document(title: str, body: Markup, charts: Sequence[Mapping[str, Any]] = (), end_s: float = 1.0) -> str:
    """Return a page.

    Args:
        title: of its window.
        body: what is on it.
        charts: what a script tells of each chart, by its number.
        end_s: where the time of all charts ends.
    """
    style, script = _part("style.css"), _part("script.js")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; "
        "form-action 'none'"
    )
    figures = {"end": end_s, "steps": TIME_STEPS, "span": SPAN, "left": LEFT, "wide": WIDE, "plot": PLOT_WIDE}
    head = joined(
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{safe(policy)}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="referrer" content="no-referrer">'),
        el("title", title),
        Markup(f"<style>{style}</style>"),
    )
    end = joined(
        el("div", id="tip", hidden=True),
        el("button", "the whole time", id="whole", type="button", hidden=True),
        _data({**figures, "high": HIGH, "charts": list(charts)}),
        Markup(f"<script>{script}</script>"),
    )
    return f'<!doctype html>\n<html lang="en"><head>\n{head}\n</head><body>\n{body}\n{end}\n</body></html>\n'


def _data(figures: Mapping[str, Any]) -> Markup:
    """Return data for the script. It is no script itself; nothing in it ends it."""
    text = json.dumps(figures, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(f'<script type="application/json" id="figures">{text}</script>')


@lru_cache
def _part(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
