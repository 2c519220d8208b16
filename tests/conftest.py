"""What holds for every test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The gate tries the same examples every time, so that it fails for a change and not by chance, and no example is timed:
# the machine may be busy. HYPOTHESIS=search looks for new ones, many more of them.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS", "gate"))


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place without runs. pytest's ``tmp_path`` is too long: the path of a Unix socket holds 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="att-") as name:
        (Path(name) / "r").mkdir()
        monkeypatch.setenv("XDG_STATE_HOME", f"{name}/s")
        monkeypatch.setenv("XDG_RUNTIME_DIR", f"{name}/r")
        yield Path(name)
