"""Asks another model: rubrics graded by chat completions, likeness by embeddings, of an OpenAI-compatible endpoint.

What it cannot say is a part without a value whose reason begins with ``judge_error``: no score of the agent's. A
malformed verdict is asked again once; an answer is judged once for its content.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

from agenttop.grading import judge_prompt
from agenttop.grading.judge_cache import JudgeCache, key_of
from agenttop.grading.judge_endpoint import Endpoint, JudgeError, JudgeSettings
from agenttop.metrics.safe_text import SafeText
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.grade import part_of
from agenttop.quality.graders.base import Verdict, quoted
from agenttop.quality.graders.includes import targets_of
from agenttop.quality.graders.similar import MAX_COMPARED, threshold_of
from agenttop.quality.score import Part

#: Tokens of a verdict at most.
MAX_TOKENS = 400


class Judge:
    """One endpoint, asked by as many at once as it may be.

    Args:
        cache: the directory in which verdicts are kept from run to run; None: for this run.

    Raises:
        MissingPackage: httpx is not installed.
        ValueError: the target is no address.
    """

    def __init__(self, settings: JudgeSettings, cache: Path | str | None = None) -> None:
        self.settings = settings
        self.endpoint = Endpoint(settings)
        self.counts = self.endpoint.counts
        self._cache = JudgeCache(cache)
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._stopped = "the run ended before its verdict"
        self._safe = SafeText([settings.api_key] if settings.api_key else [])

    async def judge(self, spec: GraderSpec, case: Case, answer: Answer) -> Part:
        """Return the verdict on an answer; ``threshold`` makes it pass or fail."""
        asked = judge_prompt.messages(spec, case, answer)
        try:
            key = key_of("verdict", judge_prompt.VERSION, self.settings.model, asked)
            score, reason = await self._known(key, tuple[float, str], lambda: self._verdict(asked))
        except JudgeError as error:
            return self._error(spec, error)
        least = spec.options.get("threshold")
        value = score if least is None else float(score >= least)
        said = reason if least is None else f"{score:g} of {least:g} wanted: {reason}"
        said = self._safe(said) or f"the judge says {score:g}"
        return part_of(spec, Verdict(value, said, said))

    async def similar(self, spec: GraderSpec, case: Case, answer: Answer) -> Part:
        """Return how alike the answer and its target are: the cosine of their embeddings, against the threshold."""
        targets = [target[:MAX_COMPARED] for target in targets_of(spec, case)]
        try:
            one, *others = [await self._embedding(text) for text in (answer.text[:MAX_COMPARED], *targets)]
        except JudgeError as error:
            return self._error(spec, error)
        alike = max((cosine(one, other) for other in others), default=0.0)
        least = threshold_of(spec)
        said = f"{max(0.0, alike):.0%} like {quoted(targets[0] if targets else '')}"
        return part_of(spec, Verdict(float(alike >= least), f"{said}; {least:.0%} is wanted", said))

    @property
    def given_up(self) -> str:
        """Return why it is not asked any more, secrets hidden; empty while it is."""
        return self._safe(self.endpoint.given_up)

    def stop(self, why: str) -> None:
        """Ask no more: what is being asked, and all that comes, has no verdict for this reason."""
        self._stopped = why
        self.endpoint.given_up = self.endpoint.given_up or why
        self._cancel()

    async def close(self) -> None:
        """Close its connections; what is being asked has no verdict."""
        self._cancel()
        await self.endpoint.close()

    def _cancel(self) -> None:
        for running in self._waiting.values():
            running.cancel()

    def _error(self, spec: GraderSpec, error: JudgeError) -> Part:
        self.counts.errors += 1
        return part_of(spec, Verdict(None, f"judge_error: {self._safe(str(error))}"))

    async def _known(self, key: str, kind: Any, ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Return what is known of this content, or ask: one asks, all others who want the same wait for it."""
        known = self._cache.get(key, kind)
        if known is not None:
            self.counts.cached += 1
            return known
        running = self._waiting.get(key)
        mine = running is None
        if running is None:
            running = self._waiting[key] = asyncio.ensure_future(self._kept(key, ask))
            running.add_done_callback(lambda done: self._done(key, done))
        try:
            value = await asyncio.shield(running)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if running.cancelled() and not (task and task.cancelling()):
                raise JudgeError(self._stopped) from None
            raise
        self.counts.cached += not mine
        return value

    async def _kept(self, key: str, ask: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        value = await ask()
        self._cache.put(key, value)
        return value

    def _done(self, key: str, done: asyncio.Future[Any]) -> None:
        self._waiting.pop(key, None)
        if not done.cancelled():
            done.exception()  # looked at, for whoever wanted it may be gone

    async def _verdict(self, asked: list[dict[str, str]]) -> tuple[float, str]:
        async with self.endpoint.places:  # both times: or all are asked once before any is asked again
            text = await self._chat(asked)
            found = judge_prompt.verdict(text)
            if found is None:
                text = await self._chat(judge_prompt.again(asked, text))
                found = judge_prompt.verdict(text)
        if found is None:
            raise JudgeError(f"no verdict in {quoted(text)}" if text.strip() else "an empty verdict")
        return found

    async def _embedding(self, text: str) -> list[float]:
        model = self.settings.embedding_model
        key = key_of("embedding", model, text)
        found: list[float] = await self._known(key, list[float], lambda: self._embed(model, text))
        return found

    async def _embed(self, model: str, text: str) -> list[float]:
        async with self.endpoint.places:
            body = await self.endpoint.call(
                "/embeddings", {"model": model, "input": text or " "}, len(text.encode("utf-8", "replace")), 0
            )
        try:
            values = [float(value) for value in body["data"][0]["embedding"]]
        except (KeyError, IndexError, TypeError, ValueError):
            raise JudgeError("no embedding in its answer", lost=True) from None
        if not values:
            raise JudgeError("no embedding in its answer", lost=True)
        return values

    async def _chat(self, asked: Sequence[Mapping[str, str]]) -> str:
        request: dict[str, Any] = {"model": self.settings.model, "messages": asked}
        if not self.endpoint.plain:
            request |= {"temperature": 0, "max_tokens": MAX_TOKENS, "response_format": {"type": "json_object"}}
        size = sum(len(message["content"].encode("utf-8", "replace")) for message in asked)
        body = await self.endpoint.call("/chat/completions", request, size, MAX_TOKENS)
        try:
            content = body["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            return ""
        return content if isinstance(content, str) else ""


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """Return the cosine of two vectors; 0 where one is nothing, or they are of different length."""
    if len(one) != len(other):
        return 0.0
    size = math.sqrt(sum(x * x for x in one)) * math.sqrt(sum(x * x for x in other))
    return sum(x * y for x, y in zip(one, other, strict=True)) / size if size > 0 else 0.0
