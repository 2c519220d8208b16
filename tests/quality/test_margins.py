"""What a gate allows, as it is written."""

from __future__ import annotations

import pytest

from agenttop.quality.margins import MarginError, Regress, percent_of, regress, score_drop


def test_a_drop_of_the_score_or_of_a_slice() -> None:
    assert score_drop("2%") == ("", 0.02)
    assert score_drop(" 2.5 % ") == ("", 0.025)
    assert score_drop("refunds=5%") == ("refunds", 0.05)
    assert score_drop("city=Rome=5%") == ("city=Rome", 0.05)


@pytest.mark.parametrize("text", ["", "2", "=2%", "refunds=", "-2%", "2%%", "nan%", "9" * 500 + "%"])
def test_what_is_no_drop(text: str) -> None:
    with pytest.raises(MarginError, match="expected"):
        score_drop(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("latency.p95=10%", Regress("latency", "p95", 0.1)),
        ("error_rate=1%", Regress("error_rate", "", 0.01)),
        ("ttft.p95{pool:chat}=10%", Regress("ttft", "p95", 0.1, "pools", "chat")),
        ("latency.p95{ request: chat/POST /a }=10%", Regress("latency", "p95", 0.1, "requests", "chat/POST /a")),
        ("phase.llm_call.p95=10%", Regress("phase.llm_call", "p95", 0.1)),
        ("latency.p99_9=10%", Regress("latency", "p99_9", 0.1)),
    ],
)
def test_what_a_figure_may_be_worse_by(text: str, wanted: Regress) -> None:
    assert regress(text) == wanted


def test_a_figure_is_told_as_it_was_written() -> None:
    assert regress("ttft.p95{pool:chat}=10%").figure == "ttft.p95{pool:chat}"
    assert regress("goodput=10%").figure == "goodput"


@pytest.mark.parametrize("text", ["latency.p95", "latency.p95=10", "=10%", "latency.p95{stage:a}=10%", "a b=1%"])
def test_what_is_no_figure(text: str) -> None:
    with pytest.raises(MarginError, match="expected"):
        regress(text)


def test_a_percentage() -> None:
    assert percent_of("12.5%") == 0.125
    assert percent_of(".5%") == 0.005
