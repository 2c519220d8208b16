from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import trustme

from agenttop.fleet.files import carried
from agenttop.profile.load import load_profile
from agenttop.profile.script import ScriptedPool
from agenttop.users.compile import compile_pools, layout_of, makers_of
from agenttop.users.connectors import Connectors

PROFILE = """
target = "https://127.0.0.1:1"
users = 2
duration = "1s"
[tls]
ca = "ca.pem"
[[pools]]
name = "chat"
data = { file = "rows.csv", order = "once" }
  [[pools.tasks]]
  name = "a"
  post = "/{name}"
[[pools]]
name = "more"
  [[pools.tasks]]
  name = "b"
  post = "/{name}"
  data = { file = "rows.csv" }
[[pools]]
name = "own"
python = "mine.py:Mine"
"""
SCRIPT = """
from agenttop.scripting import User, task

class Mine(User):
    @task
    async def a(self) -> None:
        await self.client.get("/a")
"""


def test_a_box_gets_every_file_and_a_profile_that_finds_it_there(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / "rows.csv").write_text("name\nAda\n")
    (here / "mine.py").write_text(SCRIPT)
    trustme.CA().cert_pem.write_to_path(here / "ca.pem")
    (here / "p.toml").write_text(PROFILE)
    profile = load_profile(here / "p.toml", env={}).profile
    moved, files = carried(profile, str(there))
    assert sorted(Path(path).name.partition("-")[2] for path in files) == ["ca.pem", "mine.py", "rows.csv"]
    for path, content in files.items():
        Path(path).write_bytes(content)
    for file in here.iterdir():
        file.unlink()
    layout = layout_of(profile)
    assert layout_of(moved) == layout, "what is counted is named as before"
    compiled = compile_pools(moved, layout)
    assert [feed.name for pool in compiled for feed in pool.feeds] == ["rows.csv", "rows.csv"]
    assert list(makers_of(moved, layout, compiled)) == [2]
    scripted = moved.pools[2]
    assert isinstance(scripted, ScriptedPool)
    assert Path(scripted.script.file).parent == there
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        assert Connectors(loop, moved)
