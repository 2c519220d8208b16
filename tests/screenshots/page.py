"""A made-up run as the page of ``agenttop report -o run.html``, in a headless Chromium."""

from __future__ import annotations

import tempfile
from pathlib import Path

from agenttop.report.html.run_page import report_html
from tests.e2e.browser import page
from tests.e2e.harness import until
from tests.report.html.test_run_page import EVENTS, complete


def picture() -> bytes:
    """What the browser shows of its top, as PNG."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.html"
        path.write_text(report_html(complete(), EVENTS), encoding="utf-8")
        with page(path.as_uri(), Path(folder) / "home") as shown:
            shown.call("Emulation.setDeviceMetricsOverride", width=1240, height=1300, deviceScaleFactor=1, mobile=False)
            until(lambda: shown.value("document.body.classList.contains('live')"), "the page")
            return until(lambda: one if (one := shown.picture()) == shown.picture() else b"", "the whole page")
