"""Tests of agenttop.users.layout."""

from __future__ import annotations

from pathlib import Path

from agenttop.users.layout import layout_of
from tests.profile.writing import load

TEXT = """
name = "x"
target = "http://127.0.0.1:1"
[[stages]]
duration = "1s"
users = 1
[[pools]]
name = "chat"
protocol = "http"
[[pools.setup]]
name = "open"
post = "/open"
[[pools.setup]]
name = "list"
get = "/list"
[[pools.teardown]]
name = "close"
post = "/close"
[[pools.tasks]]
name = "look"
[[pools.tasks.steps]]
name = "list"
get = "/list"
[[pools.tasks.steps]]
name = "ask"
post = "/ask"
"""


def test_what_no_task_sends_is_of_the_set_up(tmp_path: Path) -> None:
    layout = layout_of(load(tmp_path, TEXT).profile)
    assert {request.name: request.setup for request in layout.requests} == {
        "open": True, "list": False, "ask": False, "close": True,
    }  # fmt: skip
