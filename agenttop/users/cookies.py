"""The cookies of one user, kept and sent back as browsers do (RFC 6265). The rules are those of ``http.cookiejar``.

It is loaded with the first cookie that a target sets, which takes a few milliseconds that most runs need not pay.
Cookies are nearly secrets: they stand in requests, and nowhere else.
"""

from __future__ import annotations

import re
import warnings
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from time import time
from typing import TYPE_CHECKING, cast
from urllib.request import Request

from agenttop.wire.target import Target

if TYPE_CHECKING:
    from http.client import HTTPResponse

#: Bytes of a ``Set-Cookie`` beyond which it is ignored, and cookies that one user keeps: the least a browser should be
#: able to (RFC 6265, 6.1), and what they do take for a domain.
MAX_LENGTH = 4096
MAX_COOKIES = 180
#: Cookies of one answer that are looked at, the last of them: who sets more than these replaces its own.
MAX_SET = MAX_COOKIES

_PORT = re.compile(r":\d+$")
_ADDRESS = re.compile(r"\[.*\]|[\d.]+")


class _Rules(DefaultCookiePolicy):
    """Domains by RFC 6265, 5.1.3: the library knows Netscape's, which leave out ``Domain=localhost``."""

    def set_ok_domain(self, cookie: Cookie, request: Request) -> bool:
        return _covers(cookie, request)

    def return_ok_domain(self, cookie: Cookie, request: Request) -> bool:
        return _covers(cookie, request)

    def domain_return_ok(self, domain: str, request: Request) -> bool:
        return True


class Cookies:
    """The cookies of one session of one user."""

    __slots__ = ("_jar", "_plain", "_until", "_values")

    def __init__(self) -> None:
        self._jar = CookieJar(_Rules())
        self._plain = False
        """All are for every path: what is sent depends on the host alone."""
        self._until = 0.0
        """When the first cookie expires, in seconds since 1970."""
        self._values: dict[tuple[str, bool], str] = {}
        """What is sent to a host, with TLS or without, until the cookies change."""

    def keep(self, set_cookie: str, data: bytes, target: Target) -> None:
        """Keep the cookies that an answer sets.

        Args:
            set_cookie: its ``Set-Cookie`` headers, a line each.
            data: the request, as it went to the ``target``.
        """
        headers = Message()
        for line in set_cookie.rsplit("\n", MAX_SET)[-MAX_SET:]:
            if len(line) <= MAX_LENGTH:
                headers["set-cookie"] = line
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it cannot read it warns
            self._jar.extract_cookies(cast("HTTPResponse", _Headers(headers)), _request(data, target))
        cookies = list(self._jar)
        for cookie in cookies[: max(len(cookies) - MAX_COOKIES, 0)]:
            self._jar.clear(cookie.domain, cookie.path, cookie.name)
        self._changed()

    def add(self, data: bytes, target: Target) -> bytes:
        """Return the request with the cookies that go with it to the ``target``."""
        if time() >= self._until:
            self._jar.clear_expired_cookies()
            self._changed()
        key = (target.host, target.tls)
        value = self._values.get(key) if self._plain else None
        if value is None:
            request = _request(data, target)
            self._jar.add_cookie_header(request)
            value = self._values[key] = request.get_header("Cookie") or ""
        if not value:
            return data
        end = data.index(b"\r\n\r\n")
        return b"%b\r\ncookie: %b%b" % (data[:end], value.encode("latin-1"), data[end:])

    def _changed(self) -> None:
        self._plain = all(cookie.path == "/" for cookie in self._jar)
        self._until = min((cookie.expires for cookie in self._jar if cookie.expires is not None), default=1e18)
        self._values = {}


class _Headers:
    """An answer, as far as the library looks at it."""

    def __init__(self, headers: Message) -> None:
        self._headers = headers

    def info(self) -> Message:
        return self._headers


def _request(data: bytes, target: Target) -> Request:
    return Request(target.origin + data.split(b" ", 2)[1].decode("latin-1"))


def _covers(cookie: Cookie, request: Request) -> bool:
    """Return whether the request's host is that of a cookie, or one below its domain."""
    host = _PORT.sub("", request.host or "").lower()
    domain = cookie.domain.lower().lstrip(".")
    if not cookie.domain_specified:
        return domain in (host, f"{host}.local")  # so the library writes a host without dots
    return host == domain or ("." in domain and host.endswith(f".{domain}") and _ADDRESS.fullmatch(host) is None)
