"""Small plans to try things on: profiles as the loader makes them."""

from __future__ import annotations

from pathlib import Path

from agenttop.profile.load import load_profile
from agenttop.profile.model import Profile
from agenttop.steering.plan import Plan
from agenttop.users.compile import layout_of

TASK = '  [[pools.tasks]]\n  name = "t"\n  get = "/"\n'
STAGES = "".join(
    f'[[stages]]\nname = "{name}"\nduration = "10s"\nusers = {users}\nramp = "{ramp}"\n'
    for name, users, ramp in (("ramp", 10, "linear"), ("hold", 10, "linear"), ("peak", 40, "step"))
)
#: A closed pool that shares the run's stages, one with stages of its own, an open one.
MIXED = (
    STAGES
    + f'[[pools]]\nname = "chat"\nweight = 3\n{TASK}[[pools]]\nname = "tools"\nweight = 1\n{TASK}'
    + f'[[pools]]\nname = "own"\nstages = [{{ duration = "20s", users = 4, ramp = "step" }}]\n{TASK}'
    + f'[[pools]]\nname = "open"\nstages = [{{ duration = "30s", rate = 30 }}]\n{TASK}'
)


def profile_of(folder: Path, text: str, target: str = "http://127.0.0.1:1") -> Profile:
    """The profile of a text."""
    file = folder / "plan.toml"
    file.write_text(f'target = "{target}"\n{text}')
    return load_profile(file, env={}).profile


def plan_of(folder: Path, text: str = MIXED) -> Plan:
    """The plan of a text."""
    profile = profile_of(folder, text)
    return Plan(profile, layout_of(profile))
