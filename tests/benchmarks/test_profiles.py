"""Every profile of the benchmarks is one the program takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme

from agenttop.profile.load import load_profile
from tests.benchmarks import profiles
from tests.benchmarks.script import CUSTOMER

_VALUES = {
    "arrivals": "poisson",
    "content": "Hello",
    "few": 10,
    "file": CUSTOMER,
    "few_s": 5,
    "hold": 4,
    "many": 10_000,
    "many_s": 25,
    "port": 8000,
    "ramp": 2,
    "quality": "",
    "rate": 40,
    "seconds": 3,
    "streams": 100,
    "task": "",
    "think_time": "0s",
    "tokens": 80,
    "url": "http://127.0.0.1:8000",
    "users": 64,
}
_NAMES = sorted(name for name in vars(profiles) if name.isupper())


@pytest.mark.parametrize("name", _NAMES)
def test_it_loads(name: str, tmp_path: Path, ca_file: str) -> None:
    text: str = getattr(profiles, name)
    path = tmp_path / "profile.toml"
    path.write_text(text.format(**_VALUES | {"ca": ca_file}), encoding="utf-8")

    loaded = load_profile(path)

    assert loaded.profile.name == f"benchmark-{name.lower()}"
    assert all(pool.tasks or pool.python for pool in loaded.profile.pools)


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of certificates that somebody signed."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return str(path)
