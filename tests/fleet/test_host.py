"""An agent of a box whose standard input ends at once; those of test_fleet are asked something."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("fault", "code", "words"), [("", 0, ""), ("host.hello = None", 1, "TypeError: 'NoneType' object is not callable")]
)
def test_its_end_is_told_and_leaves_nothing(tmp_path: Path, fault: str, code: int, words: str) -> None:
    program = f"import agenttop.fleet.host as host\n{fault}\nhost.main()"
    ended = subprocess.run(
        [sys.executable, "-c", program], input=b"", capture_output=True, env=os.environ | {"TMPDIR": str(tmp_path)}
    )
    assert ended.returncode == code
    assert words in ended.stderr.decode()
    assert (b'"type":"hello"' in ended.stdout) is not fault.startswith("host")
    assert list(tmp_path.iterdir()) == []
