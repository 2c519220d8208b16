"""The generator pane: whether the load generator can be trusted, and the run's own data."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.snapshot import Generator
from agenttop.metrics.trust import LATE, OK, SATURATED
from agenttop.tui.text import Line, clean, count, fit, size
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title


def full(view: View, width: int, height: int) -> list[Line]:
    """Return workers, CPU, lag, memory and files; why it is late or saturated; then the run's own data."""
    look, info, generator = view.look, view.info, view.snap.generator
    word, graded = grade_word(view)
    if generator.alive < generator.workers:
        word, graded = f"! {generator.workers - generator.alive} dead", look.bad
    half = (width - 4) // 2
    cpu = look.text if generator.grade == OK else graded
    cells = [
        ("workers", f"{generator.alive} of {generator.workers}", look.text),
        ("busiest core", f"{generator.cpu_percent_max:.0f}%", cpu),
        ("loop lag p99", _lag(generator.loop_lag_p99_ms), cpu),
        ("schedule lag p99", _lag(generator.schedule_lag_p99_ms), cpu),
        ("memory", f"{generator.rss_mb:.0f} MB", look.text),
        ("open files", count(generator.open_files), look.text),
        ("sent", size(view.snap.bytes_sent), look.text),
        ("received", size(view.snap.bytes_received), look.text),
    ]
    body = []
    for left, right in zip(cells[::2], cells[1::2], strict=True):
        line = Line()
        for (name, value, style), start in ((left, 0), (right, half)):
            line.to(start).add(name, look.dim).right(value, half - 2 - len(name), style)
        body.append(line)
    body += [
        Line().add(f"! {fit(look.glyphs.tell(clean(reason)), width - 6, look.glyphs.ellipsis)}", cpu)
        for reason in _why(generator)
    ]
    body.append(Line())
    for name, value in (
        ("target", info.target),
        ("run", f"{info.run_id}, seed {info.seed}"),
        ("files", info.directory),
    ):
        body.append(
            Line().add(name, look.dim).to(8).add(fit(clean(value), width - 12, look.glyphs.ellipsis), look.text)
        )
    return boxed(look, width, height, title(look, "generator", "0"), Line().add(word, graded), body)


def grade_word(view: View) -> tuple[str, Style]:
    """Return the generator's grade as a word."""
    look = view.look
    words = {OK: ("ok", look.good), LATE: ("late", look.warn), SATURATED: ("! SATURATED", look.bad)}
    return words[view.snap.generator.grade]


def _why(generator: Generator) -> list[str]:
    """Return what the generator is short of, and before it how much that is, unless that is the same."""
    told, reasons = generator.words, list(generator.reasons)
    return [told, *reasons] if told and told not in ("; ".join(reasons), *reasons) else reasons


def _lag(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"
