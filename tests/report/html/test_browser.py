"""Tests of agenttop.report.html.document: a page in a real browser, with and without its script, and on paper."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from agenttop.report.html.run_page import report_html
from tests.e2e.browser import CHROMIUM, page
from tests.e2e.harness import until
from tests.report.html.test_run_page import EVENTS, complete

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]
_THIRD = "document.querySelectorAll('figure.chart')[2]"


@pytest.fixture
def url(tmp_path: Path) -> str:
    summary = complete()
    summary["totals"]["errors"][0]["message"] = "<script>document.title='gone'</script><img src=x onerror=alert(1)>"
    path = tmp_path / "run.html"
    path.write_text(report_html(summary, EVENTS), encoding="utf-8")
    return path.as_uri()


def test_values_cursor_series_and_zoom(url: str, tmp_path: Path) -> None:
    with page(url, tmp_path / "home") as shown:
        until(lambda: shown.value("document.body.classList.contains('live')"), "the script")
        assert shown.value("document.title") == "agenttop · peak: FAIL"
        shown.value(f"{_THIRD}.scrollIntoView()")
        box = f"{_THIRD}.querySelector('svg').getBoundingClientRect()"
        left, wide, top = (shown.value(f"{box}.{name}") for name in ("left", "width", "top"))
        middle = {"x": left + wide / 2, "y": top + 60}
        shown.call("Input.dispatchMouseEvent", type="mouseMoved", **middle)
        told = until(lambda: shown.value("document.getElementById('tip').textContent"), "the values")
        assert told.split("\n")[0] in ("00:28", "00:29")
        assert [line.split("  ")[0] for line in told.split("\n")[1:]] == ["p50", "p95", "p99"]
        assert shown.value("document.querySelectorAll('.cursor.on').length") == shown.value(
            "document.querySelectorAll('figure.chart').length"
        )
        shown.value(f"{_THIRD}.querySelector('button').click()")
        assert shown.value(f"{_THIRD}.querySelectorAll('.plot .off').length") == 1
        for kind, x in (("mousePressed", left + wide * 0.3), ("mouseMoved", left + wide * 0.5),
                        ("mouseReleased", left + wide * 0.5)):  # fmt: skip
            shown.call("Input.dispatchMouseEvent", type=kind, x=x, y=middle["y"], button="left", clickCount=1)
        boxes = shown.value("[...new Set([...document.querySelectorAll('.plot')].map(p => p.getAttribute('viewBox')))]")
        assert len(boxes) == 1
        assert float(boxes[0].split()[2]) < 3000
        shown.value("document.getElementById('whole').click()")
        assert shown.value(f"{_THIRD}.querySelector('.plot').getAttribute('viewBox')") == "0 0 10000 1000"


def test_it_is_whole_without_a_script_and_on_paper(url: str, tmp_path: Path) -> None:
    with page(url, tmp_path / "home") as shown:
        shown.call("Emulation.setScriptExecutionDisabled", value=True)
        shown.call("Page.reload")
        until(lambda: shown.value("document.readyState") == "complete", "the page")
        assert not shown.value("document.body.classList.contains('live')")
        assert shown.value("document.querySelectorAll('figure.chart .line').length") > 10
        assert base64.b64decode(shown.call("Page.printToPDF", printBackground=True)["data"]).startswith(b"%PDF")
