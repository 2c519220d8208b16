from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.profile.fleet import MAX_BOXES, Host, parse_host, parse_hosts
from agenttop.profile.load import load_profile
from agenttop.profile.problems import ProfileError
from tests.steering.plans import STAGES, TASK


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("b1", Host("b1", "b1")),
        ("b2:2222", Host("b2", "b2", port=2222)),
        ("user@b3", Host("b3", "b3", "user")),
        ("me@10.0.0.7:22", Host("10.0.0.7", "10.0.0.7", "me", 22)),
        ("[fe80::1%eth0]:22", Host("fe80::1%eth0", "fe80::1%eth0", port=22)),
    ],
)
def test_what_a_box_is(text: str, host: Host) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text", ["", "-oProxyCommand=x", "a b", "b1:0", "b1:99999", "b1:x", "@b1", "a@b@c", "::1", "b1\n-x"]
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected a box such as"):
        parse_host(text)


@given(st.text())
def test_whatever_is_written_is_a_box_or_refused(text: str) -> None:
    try:
        host = parse_host(text)
    except ValueError:
        return
    assert host.host
    assert not host.host.startswith("-")
    assert not any(c.isspace() for c in host.host)


def test_each_has_a_name_of_its_own() -> None:
    assert [host.name for host in parse_hosts(["b1", "b2:22"])] == ["b1", "b2"]
    assert [host.name for host in parse_hosts(["b1:22", "b1:23", "c"])] == ["b1:22", "b1:23", "c"]
    with pytest.raises(ValueError, match="b1 is there twice"):
        parse_hosts(["b1", "b1"])
    with pytest.raises(ValueError, match="names no box"):
        parse_hosts([])
    with pytest.raises(ValueError, match="at most 100 boxes"):
        parse_hosts([f"b{number}" for number in range(MAX_BOXES + 1)])


def load(folder: Path, text: str) -> list[str]:
    """The problems of a profile with this [fleet]."""
    file = folder / "p.toml"
    file.write_text(f'target = "http://127.0.0.1:1"\n{STAGES}[[pools]]\nname = "a"\n{TASK}[fleet]\n{text}\n')
    try:
        load_profile(file, env={})
    except ProfileError as error:
        return [f"{problem.key}: {problem.message}" for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('hosts = ["b1", "b2:22"]\nmin_hosts = 1\non_loss = "shrink"\npython = "/opt/p"', ""),
        ('hosts = ["-x"]', 'fleet.hosts[0]: expected a box such as "b1", "b2:2222" or "user@b3"'),
        ("hosts = []", "fleet.hosts: "),
        ('hosts = ["b1", "b1"]', "fleet.hosts: b1 is there twice"),
        ('hosts = ["as-expected", "as-expected"]', "fleet.hosts: as-expected is there twice"),
        ('hosts = ["b1"]\nmin_hosts = 2', "fleet.min_hosts: there are only 1 hosts"),
        ('on_loss = "wait"', "fleet.on_loss: "),
        ('host = ["b1"]', 'fleet.host: unknown key; did you mean "hosts"?'),
    ],
)
def test_a_profile_says_its_boxes(tmp_path: Path, text: str, problem: str) -> None:
    problems = load(tmp_path, text)
    assert len(problems) == bool(problem)
    assert "".join(problems).startswith(problem)
