"""Warns about the variables that name a proxy: ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY`` and ``NO_PROXY``.

None of them is obeyed, by no protocol and no dialect: whatever stands between us and the target is in the figures, and
a shell's leftover must not put it there. A ``[proxy]`` is what is used. Where a client that obeys them would go another
way than we do, that is said.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

from agenttop.profile.model import Profile

#: Which variable goes before ALL_PROXY, and the port where a URL names none; a WebSocket begins as a request.
_BY_SCHEME = {
    "http": ("http_proxy", 80),
    "ws": ("http_proxy", 80),
    "https": ("https_proxy", 443),
    "wss": ("https_proxy", 443),
}


def proxy_warnings(profile: Profile, env: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each variable of ``env`` that would apply to a target of a resolved profile, and is
    ignored.
    """
    found = {name.lower(): name for name in sorted(env) if name.lower().endswith("_proxy") and env[name].strip()}
    bypass = env.get(found.get("no_proxy", ""), "")
    targets = [urlsplit(pool.target or profile.target) for pool in profile.pools]
    if profile.proxy is not None:
        if any(is_exempt(target, bypass) for target in targets):
            yield f"{found['no_proxy']} is set, and ignored: [proxy] is for every target"
        return
    told: dict[str, None] = {}
    for target in targets:
        name = found.get(_BY_SCHEME[target.scheme][0], found.get("all_proxy"))
        if name is not None and not is_exempt(target, bypass):
            told[name] = None
    for name in told:
        yield f'{name} is set, and ignored: to go through it write [proxy] with url = "${{{name}}}"'


def is_exempt(target: SplitResult, bypass: str) -> bool:
    """Return whether a list as in ``NO_PROXY`` has a target: ``*``, names with all below them, addresses, networks,
    ports.

    Read as curl, Go and Python do: separated by commas or spaces; case and a leading dot mean nothing.
    """
    host = (target.hostname or "").rstrip(".")
    port = target.port or _BY_SCHEME[target.scheme][1]
    return any(_has(entry.lower(), host, port) for entry in bypass.replace(",", " ").split())


def _has(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, colon, number = entry.rpartition(":")
    if colon and number.isdigit() and (":" not in name or name.endswith("]")):
        if number != str(port):
            return False
        entry = name
    entry = entry.strip("[]")
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        entry = entry.removeprefix("*").strip(".")
        return bool(entry) and (host == entry or host.endswith(f".{entry}"))
