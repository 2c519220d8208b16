"""A key of the environment goes to the target, and nowhere else."""

from __future__ import annotations

import json
from urllib.parse import quote

import psutil
import pytest

from tests.e2e import targets
from tests.e2e.harness import Place
from tests.e2e.targets import target

#: With characters that a URL and JSON write otherwise.
KEY = 'sk-very+secret/Zq8"vXw31=='

PROFILE = """
target = "{url}"
users = 3
duration = "10m"
[headers]
authorization = "Bearer ${{API_KEY}}"
[[pools]]
name = "chat"
think_time = "50ms"
  [[pools.tasks]]
  name = "ask"
  post = "/ask?key=${{API_KEY}}"
  json = {{ content = "key ${{API_KEY}}" }}
"""


# The second one puts the key where the excerpt of an error is cut: half a key is a secret too.
@pytest.mark.parametrize("pad", [0, 250])
def test_a_key_appears_nowhere(place: Place, pad: int) -> None:
    env = {"API_KEY": KEY}
    with target(targets.echoes(b" " * pad)) as url:
        profile = place.write(PROFILE.format(url=url))
        with place.start("--profile", profile, "--headless", "--out", place.root / "out.json", env=env) as run:
            viewer = run.viewer()
            viewer.wait(lambda s: s["requests"] > 10)
            seen = [viewer.info, *viewer.snapshots]
            listed = []
            for process in place.processes("agenttop"):
                try:
                    listed += process.cmdline()
                except psutil.NoSuchProcess:
                    continue
            assert any("agenttop.worker.worker" in word for word in listed)
            status = place.finish("ctl", place.directory().name, "status")
            assert json.loads(status.out.text())["state"] == "running"
            run.process.terminate()
            assert run.wait() == 130
        report = place.finish("report", place.directory())
    assert "server_error" in (place.directory() / "summary.json").read_text()
    said = [run.out, run.err, status.out, status.err, report.out, report.err]
    texts = [*listed, *(each.text() for each in said), json.dumps(seen)]
    texts += [path.read_bytes().decode("latin-1") for path in place.root.rglob("*") if path.is_file()]
    # Not in part either, and not in another spelling. A journal is compressed: its report stands for it.
    for form in (KEY[:7], KEY[-7:], quote(KEY, safe="")[:14], quote(KEY, safe="")[-10:], json.dumps(KEY)[-9:-1]):
        assert not [text[max(text.index(form) - 90, 0) :][:200] for text in texts if form in text], form
    # What the run leaves behind is its owner's alone.
    assert place.directory().stat().st_mode & 0o077 == 0
