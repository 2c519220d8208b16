"""What is made of the bytes: the dialect's chunk, the histogram, the request that is filled in."""

from __future__ import annotations

from array import array

from pytest_benchmark.fixture import BenchmarkFixture

from agenttop.dialects import dialect_named
from agenttop.dialects.base import DONE, OUTPUT
from agenttop.metrics.histogram import Hist, fold
from agenttop.profile.template import compile_json, compile_path

_CONTENT = (
    b'{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m",'
    b'"choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}]}'
)
_USAGE = b'{"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":40,"total_tokens":48}}'
_SAMPLES = array("q", (100_000 + (i * 7_919) % 50_000_000 for i in range(10_000)))


def test_chat_chunk(benchmark: BenchmarkFixture) -> None:
    reader = dialect_named("openai.chat", None).reader()

    assert benchmark(reader.event, _CONTENT) == OUTPUT
    assert reader.chunks >= 1
    assert reader.error is None


def test_chat_answer(benchmark: BenchmarkFixture) -> None:
    dialect = dialect_named("openai.chat", None)

    def answer() -> tuple[int, int | None, int]:
        reader = dialect.reader()
        for _ in range(40):
            reader.event(_CONTENT)
        reader.event(_USAGE)
        return reader.event(b"[DONE]"), reader.output_tokens, reader.chunks

    assert benchmark(answer) == (DONE, 40, 40)


def test_fold_ten_thousand(benchmark: BenchmarkFixture) -> None:
    delta = benchmark(fold, _SAMPLES)

    assert delta.count == len(_SAMPLES)
    assert (delta.low, delta.high) == (min(_SAMPLES) / 1000, max(_SAMPLES) / 1000)


def test_fold_ten(benchmark: BenchmarkFixture) -> None:
    few = _SAMPLES[:10]

    assert benchmark(fold, few).count == 10


def test_percentiles(benchmark: BenchmarkFixture) -> None:
    hist = Hist()
    hist.add(fold(_SAMPLES))

    median, tail = benchmark(hist.percentiles, (50.0, 99.0))

    ranked = sorted(_SAMPLES)
    assert abs(median / (ranked[4_999] / 1000) - 1) < 0.002
    assert abs(tail / (ranked[9_899] / 1000) - 1) < 0.002


def test_fill_a_body(benchmark: BenchmarkFixture) -> None:
    template = compile_json({"model": "m", "messages": [{"role": "user", "content": "Hello {user}, turn {iteration}"}]})

    filled = benchmark(template.fill, {"user": "7", "iteration": '"12"'})

    assert filled == b'{"model":"m","messages":[{"role":"user","content":"Hello 7, turn \\"12\\""}]}'


def test_fill_a_path(benchmark: BenchmarkFixture) -> None:
    template = compile_path("/api/sessions/{session_id}/messages")

    assert benchmark(template.fill, {"session_id": "a1b2/c3"}) == b"/api/sessions/a1b2%2Fc3/messages"
