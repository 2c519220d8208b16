"""HTTP_PROXY and the like: not obeyed by any protocol, and said wherever they would have been."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from agenttop.profile.proxies import is_exempt
from agenttop.profile.validate import validate_files
from tests.profile.writing import SMALL, TOP, load

SOCKET = """
[[pools]]
name = "voice"
protocol = "ws"
[[pools.tasks]]
steps = [{ connect = "/" }, { close = true }]
"""
CHAT = """
[[pools]]
name = "chat"
protocol = "sse"
dialect = "openai.chat"
[[pools.tasks]]
post = "/v1/chat/completions"
json = { model = "m", stream = true, messages = [] }
"""


def ignored(name: str) -> str:
    """What is said of one variable."""
    return f'{name} is set, and ignored: to go through it write [proxy] with url = "${{{name}}}"'


@pytest.mark.parametrize("pools", [SMALL.removeprefix(TOP), SOCKET, CHAT], ids=["http", "ws", "sse"])
@pytest.mark.parametrize(
    ("scheme", "env", "said"),
    [
        ("http", {"HTTP_PROXY": "http://p:1"}, ["HTTP_PROXY"]),
        ("http", {"http_proxy": "http://p:1"}, ["http_proxy"]),
        ("http", {"HTTPS_PROXY": "http://p:1"}, []),
        ("https", {"HTTPS_PROXY": "http://p:1", "HTTP_PROXY": "http://p:1"}, ["HTTPS_PROXY"]),
        ("https", {"HTTP_PROXY": "http://p:1"}, []),
        ("http", {"ALL_PROXY": "socks5://p:1"}, ["ALL_PROXY"]),
        ("https", {"all_proxy": "socks5://p:1"}, ["all_proxy"]),
        ("http", {"HTTP_PROXY": ""}, []),
        ("http", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "agent.test"}, []),
        ("http", {"HTTP_PROXY": "http://p:1", "no_proxy": "*"}, []),
        ("http", {"HTTP_PROXY": "http://p:1", "NO_PROXY": "other.test"}, ["HTTP_PROXY"]),
        ("http", {"NO_PROXY": "other.test"}, []),
        ("http", {}, []),
    ],
)
def test_a_variable_that_is_ignored_is_told(
    tmp_path: Path, pools: str, scheme: str, env: dict[str, str], said: list[str]
) -> None:
    kind = scheme.replace("http", "ws") if pools is SOCKET else scheme
    text = TOP.replace("http://127.0.0.1:8000", f"{kind}://agent.test") + pools
    assert load(tmp_path, text, env=env).warnings == tuple(map(ignored, said))


def test_every_pool_has_its_own_target(tmp_path: Path) -> None:
    env = {"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://p:2", "NO_PROXY": "127.0.0.1"}
    text = SMALL + CHAT.replace('name = "chat"', 'name = "other"\ntarget = "https://other.test"')
    assert load(tmp_path, text, env=env).warnings == (ignored("HTTPS_PROXY"),)


def test_a_proxy_of_the_profile_is_for_every_target(tmp_path: Path) -> None:
    text = SMALL + '[proxy]\nurl = "${HTTP_PROXY}"'
    env = {"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://p:2"}
    assert load(tmp_path, text, env=env).warnings == ()
    said = load(tmp_path, text, env=env | {"NO_PROXY": "127.0.0.1"}).warnings
    assert said == ("NO_PROXY is set, and ignored: [proxy] is for every target",)


def test_a_password_in_a_variable_is_not_told(tmp_path: Path) -> None:
    (said,) = load(tmp_path, SMALL, env={"HTTP_PROXY": "http://me:hunter22@p:1"}).warnings
    assert "hunter22" not in said


def test_validate_tells_it_too(tmp_path: Path) -> None:
    path = tmp_path / "peak.toml"
    path.write_text(SMALL, encoding="utf-8")
    problems, warnings, _ = validate_files([path], env={"ALL_PROXY": "http://p:1"})
    assert (problems, warnings) == ([], [f"{path}: warning: {ignored('ALL_PROXY')}"])


@pytest.mark.parametrize(
    ("url", "bypass", "exempt"),
    [
        ("http://agent.test", "agent.test", True),
        ("http://a.agent.test", "agent.test", True),
        ("http://a.agent.test", ".agent.test", True),
        ("http://a.agent.test", "*.agent.test", True),
        ("http://myagent.test", "agent.test", False),
        ("http://AGENT.test", "x, Agent.Test", True),
        ("http://agent.test:8080", "agent.test:8080", True),
        ("http://agent.test", "agent.test:8080", False),
        ("https://agent.test", "agent.test:443", True),
        ("ws://agent.test", "agent.test:80", True),
        ("http://127.0.0.1:8000", "127.0.0.0/8", True),
        ("http://10.1.2.3", "127.0.0.0/8", False),
        ("http://[::1]:80", "::1", True),
        ("http://[::1]:80", "[::1]:81", False),
        ("http://[fe80::5]", "fe80::/10", True),
        ("http://agent.test", "", False),
        ("http://agent.test", " , ,", False),
        ("http://agent.test", ".", False),
    ],
)
def test_no_proxy_is_read_as_other_clients_read_it(url: str, bypass: str, exempt: bool) -> None:
    assert is_exempt(urlsplit(url), bypass) is exempt
