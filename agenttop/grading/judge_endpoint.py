"""The judge's endpoint: one that speaks as OpenAI's API does, asked within caps, with patience and an end.

429s are waited for (``Retry-After``, else twice as long each time), lost connections and 5xx tried again. Each call has
a timeout, each answer a longest wait, and the endpoint is given up after :data:`MAX_FAILED` failures in a row, or where
it refused for as long as one answer waits and answered nobody.
"""

from __future__ import annotations

import asyncio
import math
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import msgspec

from agenttop.dialects.retry_after import retry_after
from agenttop.quality.graders.base import quoted
from agenttop.quality.packages import needed

#: Answers in a row at which the endpoint failed for good, before it is given up.
MAX_FAILED = 5
#: How often a 5xx or a lost connection is tried.
MAX_TRIES = 3
#: Bytes a token has at least, roughly: what is held beforehand, and counted where an endpoint says no usage.
_PER_TOKEN = 2.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
#: One that is refused again and again waits at least this part of what it would without a hint: ``Retry-After: 0`` is
#: no leave to storm.
_HINTED = 1 / 8
_MAX_BODY = 4 * 1024 * 1024


class JudgeSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the judge is, and what it may cost."""

    target: str
    """``https://host``, ``https://host/v1``, or the whole address of its chat completions."""
    model: str
    api_key: str = ""
    max_calls: int = 200
    max_cost_usd: float | None = None
    """Needs prices."""
    price_input: float = 0.0
    """USD for a million tokens."""
    price_output: float = 0.0
    concurrency: int = 4
    timeout_s: float = 60.0
    """Of one call."""
    patience_s: float = 120.0
    """What one answer may wait for 429s and failures, all together."""
    embedding_model: str = "text-embedding-3-small"
    """For ``similar`` by embeddings."""


class JudgeCounts(msgspec.Struct):
    """What was asked of the judge so far."""

    calls: int = 0
    """Requests that it answered, or should have; refused ones (429) are not among them."""
    cached: int = 0
    """Verdicts that were known already."""
    errors: int = 0
    """Parts without a value."""
    rate_limited: int = 0
    tokens: int = 0
    cost_usd: float = 0.0


class JudgeError(Exception):
    """The judge could not say; the message is why. ``lost``: by a fault of the endpoint, not of one verdict."""

    def __init__(self, message: str, *, lost: bool = False) -> None:
        super().__init__(message)
        self.lost = lost


class Endpoint:
    """One endpoint, asked by as many at once as it may be.

    Raises:
        MissingPackage: httpx is not installed.
        ValueError: the target is no address.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        self._httpx = needed("httpx", "judges")
        parts = urlsplit(settings.target)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the judge's target is an http:// or https:// address, not {quoted(settings.target)}")
        self.settings = settings
        self.counts = JudgeCounts()
        self.given_up = ""
        """Why it is not asked any more; empty while it is."""
        self._base = settings.target.rstrip("/").removesuffix("/chat/completions")
        if not parts.path.strip("/"):
            self._base += "/v1"
        self.places = asyncio.Semaphore(max(1, settings.concurrency))
        """As many as may be asked at once."""
        self._client: Any = None
        self._failed = 0
        self._answered = 0
        self._held_usd = 0.0
        self.plain = False
        """It knows no temperature, no limit of tokens of this name, or no JSON mode."""
        self._late = f"no answer within {settings.timeout_s:g}s"

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def call(self, path: str, request: dict[str, Any], size: int, most: int) -> Any:
        """Return the JSON of an answer; its share of the caps and its waits are in here. Whoever calls has one of the
        :attr:`places`, for as long as one verdict takes.

        Raises:
            JudgeError: there is none.
        """
        worst = self._cost(math.ceil(size / _PER_TOKEN), most)
        self._hold(worst)
        try:
            body = await self._tried(path, request, worst)
            self._failed = 0
        except JudgeError as error:
            if error.lost:
                self._failed += 1
                if self._failed >= MAX_FAILED and not self.given_up:
                    self.given_up = f"given up after {MAX_FAILED} failures in a row: {error}"
            raise
        finally:
            self._held_usd -= worst
        self._count(body, size, most)
        return body

    def _hold(self, worst: float) -> None:
        """Take a call and its worst cost from what is left of the caps."""
        settings, counts = self.settings, self.counts
        if self.given_up:
            raise JudgeError(self.given_up)
        if settings.max_cost_usd is not None and counts.cost_usd + self._held_usd + worst > settings.max_cost_usd:
            raise JudgeError(f"max_cost_usd of {settings.max_cost_usd:g} is reached")
        self._held_usd += worst

    async def _tried(self, path: str, request: dict[str, Any], worst: float) -> Any:
        """Return the JSON of an answer after as many tries as are allowed; ``worst`` is what one may cost."""
        spent_s, answered = 0.0, self._answered
        wait, tries = _FIRST_WAIT_S, 0
        while True:
            if self.given_up:
                raise JudgeError(self.given_up)
            if self.counts.calls >= self.settings.max_calls:
                raise JudgeError(f"max_calls of {self.settings.max_calls} is reached")
            self.counts.calls += 1
            began = monotonic()
            try:
                status, headers, body, failure = await self._sent(path, request)
            except asyncio.CancelledError:
                self.counts.cost_usd += worst  # it may be asked for all the same
                raise
            spent_s += monotonic() - began
            if status == 429:
                self.counts.calls -= 1
                self.counts.rate_limited += 1
                asked = retry_after(headers)
                pause = wait if asked is None else max(asked, wait * _HINTED)
                failure = "refused with 429" + ("" if asked is None else f", to wait {asked:g}s")
            else:
                tries += 1
                if status is not None and status < 300:
                    self._answered += 1
                    return self._decoded(body)
                if status == 400 and "response_format" in request:
                    # Some endpoints know no temperature, no limit of this name, or no JSON mode.
                    self.plain = True
                    request = {key: request[key] for key in ("model", "messages")}
                    continue
                if status is not None and status < 500:
                    failure = f"HTTP {status}: {_told(body)}"
                    if status in (401, 403, 404):
                        self.given_up = failure
                    raise JudgeError(failure, lost=True)
                if status is not None:
                    failure = f"HTTP {status}: {_told(body)}"
                if failure == self._late:
                    self.counts.cost_usd += worst  # it may be asked for all the same
                if tries >= MAX_TRIES or failure == self._late:
                    raise JudgeError(failure, lost=True)
                pause = wait
            wait = min(2 * wait, _LONGEST_WAIT_S)
            if spent_s + pause > self.settings.patience_s:
                if self._answered == answered and spent_s > self.settings.patience_s / 2 and not self.given_up:
                    self.given_up = f"given up after {spent_s:.0f}s without an answer: {failure}"
                raise JudgeError(failure, lost=True)
            await asyncio.sleep(pause)
            spent_s += pause

    async def _sent(self, path: str, request: dict[str, Any]) -> tuple[int | None, dict[str, str], bytes, str]:
        """Send once; return status, headers and body, or None and why there are none."""
        httpx = self._httpx
        if self._client is None:
            key = self.settings.api_key
            self._client = httpx.AsyncClient(
                headers={"Authorization": f"Bearer {key}"} if key else {}, timeout=None, trust_env=False
            )
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                async with self._client.stream("POST", self._base + path, json=request) as response:
                    body = bytearray()
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > _MAX_BODY:
                            return None, {}, b"", f"an answer of more than {_MAX_BODY >> 20} MiB"
                    headers = {name.lower(): value for name, value in response.headers.items()}
                    return response.status_code, headers, bytes(body), ""
        except TimeoutError:
            return None, {}, b"", self._late
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return None, {}, b"", f"{type(error).__name__}: {error}".rstrip(": ")

    def _decoded(self, body: bytes) -> Any:
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, ValueError):
            raise JudgeError(
                f"its answer is no JSON: {quoted(body[:200].decode('utf-8', 'replace'))}", lost=True
            ) from None

    def _count(self, body: Any, size: int, most: int) -> None:
        """Add what an answer used, by its own usage or by its length."""
        usage = body.get("usage") if isinstance(body, dict) else None
        told = usage if isinstance(usage, dict) else {}
        read, written = (
            value if isinstance(value, int) and 0 <= value < 1e9 else None
            for value in (told.get("prompt_tokens"), told.get("completion_tokens", 0 if told else None))
        )
        read = math.ceil(size / _PER_TOKEN) if read is None else read
        written = most if written is None else written
        self.counts.tokens += read + written
        self.counts.cost_usd += self._cost(read, written)

    def _cost(self, read: int, written: int) -> float:
        return (read * self.settings.price_input + written * self.settings.price_output) / 1e6


def _told(body: bytes) -> str:
    """Return what an error says, or how its body begins."""
    try:
        told = msgspec.json.decode(body)
        error = told.get("error", told)
        text = error.get("message") if isinstance(error, dict) else error
        if isinstance(text, str):
            return text[:200]
    except (msgspec.DecodeError, AttributeError, ValueError, RecursionError):
        pass
    return body[:200].decode("utf-8", "replace")
