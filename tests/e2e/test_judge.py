"""Whole runs with a judge that refuses, talks nonsense, is slow, or never answers: the run ends in time, and every
answer without a verdict is counted as such and in no score of the agent's.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, field
from typing import Any

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place
from tests.grading.fake_judge import CLOSES_AFTER, Reply, judge_beside, scored, verdict

KEY = "sk-secret-judge-key"
#: Cases that a judge sees, and those that it does not.
JUDGED, PLAIN = 6, 2
PROFILE = """
target = "{agent}"
warmup = "0s"
duration = "1500ms"
users = 1
{top}
[quality]
cases = "golden.jsonl"
{quality}
[quality.judge]
target = "{judge}"
model = "m"
api_key = "${{JUDGE_KEY}}"
{settings}
[[pools]]
name = "golden"
think_time = "20ms"
  [[pools.tasks]]
  name = "case"
  graded = true
  post = "/api/sessions/{{uuid}}/messages"
  answer = "$.content"
  json = {{ messages = "{{messages}}" }}
"""
REFUSED: Reply = (429, {}, b"")
BAD_KEY: Reply = (401, {}, json.dumps({"error": {"message": f"no such key: {KEY}"}}).encode())


def cases() -> str:
    rubric = [{"type": "judge", "value": "Says when the shop is open"}]
    judged = [
        {"id": f"judged-{number}", "input": f"When are you open? I ask for the {number}. time.", "graders": rubric}
        for number in range(JUDGED)
    ]
    plain = [
        {"id": f"plain-{number}", "input": f"Hello {number}", "graders": [{"type": "max-words", "value": 1000}]}
        for number in range(PLAIN)
    ]
    return "\n".join(map(json.dumps, judged + plain))


def write(place: Place, agent: AgentProcess, judge: str, settings: str = "", quality: str = "", top: str = "") -> Any:
    place.write(cases(), "golden.jsonl")
    text = PROFILE.format(agent=agent.url, judge=judge, settings=settings, quality=quality, top=top)
    return place.write(text)


def checked(place: Place) -> dict[str, Any]:
    """The quality of the run's summary, in which what holds of every judge does."""
    quality: dict[str, Any] = place.summary()["quality"]
    judge = quality["judge"]
    assert quality["answers"] == quality["graded"] + quality["ungraded"] + quality["waiting"]
    assert quality["waiting"] == 0
    assert quality["ungraded"] == judge["errors"] == sum(quality["ungraded_by"].values())
    assert all(reason.startswith("judge_error: ") for reason in quality["ungraded_by"])
    # No verdict is no score: neither of the run, nor of a level, a case, a slice.
    assert "judge_error" not in json.dumps({key: quality[key] for key in quality if key != "ungraded_by"})
    assert KEY not in json.dumps(place.summary())
    assert KEY not in (place.directory() / "summary.json").read_text()
    return quality


@dataclass
class Bad:
    """A judge that gives no verdict at all, and what a run makes of it."""

    replies: list[Reply] = field(default_factory=lambda: [None])
    settings: str = ""
    quality: str = ""
    delay_s: float = 0.0
    calls: tuple[int, int] = (1, 1_000_000)
    """At least and at most so many."""
    reason: str = ""
    given_up: str = ""


_GIVEN_UP = "given up after 5 failures in a row"
_SHORT = 'timeout = "200ms"\n'
_NO_MORE = "not graded within 1s of the load's end ([quality] max_wait)"
BAD = {
    "429 always": Bad([REFUSED], quality='max_wait = "1s"', calls=(0, 0), reason=_NO_MORE, given_up=_NO_MORE),
    "429, back in an hour": Bad(
        [(429, {"retry-after": "3600"}, b"")],
        calls=(0, 0),
        reason="refused with 429, to wait 3600s",
        given_up=_GIVEN_UP,
    ),
    "no JSON": Bad([(200, {}, b"\xff\x00 OK")], calls=(5, 8), reason="its answer is no JSON", given_up=_GIVEN_UP),
    "HTML": Bad(
        [(200, {"content-type": "text/html"}, b"<!doctype html><title>Sign in</title>")],
        calls=(5, 8),
        reason="its answer is no JSON: “<!doctype html>",
        given_up=_GIVEN_UP,
    ),
    "no score": Bad(
        [verdict('{"verdict": "good"}')], "max_calls = 20", calls=(20, 20), reason="max_calls of 20 is reached"
    ),
    "score out of range": Bad(
        [verdict('{"score": 85, "reason": "fine"}')], "max_calls = 20", calls=(20, 20), reason="no verdict in “{"
    ),
    "slow": Bad([scored(1.0)], _SHORT, delay_s=0.6, calls=(5, 8), reason="no answer within 0.2s", given_up=_GIVEN_UP),
    "never": Bad([None], _SHORT, calls=(5, 8), reason="no answer within 0.2s", given_up=_GIVEN_UP),
    "never, and patience": Bad(
        [None], 'timeout = "10m"', 'max_wait = "1s"', calls=(4, 4), reason=_NO_MORE, given_up=_NO_MORE
    ),
    "closes midway": Bad(
        [(200, {CLOSES_AFTER: "9"}, b'{"choices": []}')],
        "concurrency = 8",
        calls=(15, 39),
        reason="RemoteProtocolError",
        given_up=_GIVEN_UP,
    ),
    "key refused": Bad([BAD_KEY], calls=(1, 4), reason="HTTP 401: no such key: ***", given_up="HTTP 401"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_judge_without_a_verdict_ends_the_run_in_time_and_all_of_it_is_counted(
    place: Place, agent: AgentProcess, bad: Bad
) -> None:
    with judge_beside(bad.replies, bad.delay_s) as judge:
        file = write(place, agent, judge.url, bad.settings, bad.quality)
        run = place.finish("--profile", file, "--headless", "--full", env={"JUDGE_KEY": KEY})
    assert run.wait() == 0, run.err.text()
    quality = checked(place)
    assert quality["ungraded"] >= 2 * JUDGED
    assert quality["graded"] >= 2 * PLAIN
    assert (quality["score"], set(quality["by_case"])) == (1.0, {f"plain-{number}" for number in range(PLAIN)})
    least, most = bad.calls
    assert least <= quality["judge"]["calls"] <= most
    assert any(bad.reason in reason for reason in quality["ungraded_by"]), quality["ungraded_by"]
    assert bad.given_up in quality["judge"]["given_up"]
    assert bool(quality["judge"]["given_up"]) == bool(bad.given_up)
    assert bool(quality["judge"]["rate_limited"]) == (bad.replies[0] is not None and bad.replies[0][0] == 429)
    said = run.out.text()
    assert "answers are in no score: " in said
    assert f"{quality['ungraded']} answers that no grader could judge" in " ".join(said.split())


def test_a_judge_that_is_not_there_is_tried_and_given_up(place: Place, agent: AgentProcess) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else can begin to listen there meanwhile
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        run = place.finish(
            "--profile", write(place, agent, url, "concurrency = 8"), "--headless", "--full", env={"JUDGE_KEY": KEY}
        )
    assert run.wait() == 0, run.err.text()
    quality = checked(place)
    assert quality["score"] == 1.0
    assert 15 <= quality["judge"]["calls"] <= 39
    assert "ConnectError" in quality["judge"]["given_up"]


def test_a_judge_that_refuses_and_then_answers_is_waited_for(place: Place, agent: AgentProcess) -> None:
    busy: Reply = (429, {"retry-after": "0.2"}, b"")
    with judge_beside([busy, busy, busy, busy, busy, scored(0.5, "no hours")]) as judge:
        run = place.finish("--profile", write(place, agent, judge.url), "--headless", "--full", env={"JUDGE_KEY": KEY})
        asked = len(judge.asked)
    assert run.wait() == 0, run.err.text()
    quality = checked(place)
    assert quality["ungraded"] == 0
    assert (quality["judge"]["rate_limited"], quality["judge"]["errors"], quality["judge"]["given_up"]) == (5, 0, "")
    assert quality["judge"]["calls"] == asked - 5
    # An answer is judged once for its content.
    assert quality["judge"]["calls"] + quality["judge"]["cached"] == quality["graded"] - len(
        [1 for case in range(PLAIN) for _ in range(quality["by_case"][f"plain-{case}"]["runs"])]
    )
    assert quality["score"] == pytest.approx((0.5 * JUDGED + PLAIN) / (JUDGED + PLAIN))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("max_calls = 3", "max_calls of 3 is reached"),
        (
            "max_cost_usd = 0.03\nconcurrency = 1\nprice = { input = 10.0, output = 10.0 }",
            "max_cost_usd of 0.03 is reached",
        ),
    ],
)
def test_what_caps_leave_out_is_counted_and_told(place: Place, agent: AgentProcess, settings: str, reason: str) -> None:
    with judge_beside(lambda path, body: verdict('{"score": 1.0}', (300, 500))) as judge:
        run = place.finish(
            "--profile", write(place, agent, judge.url, settings), "--headless", "--full", env={"JUDGE_KEY": KEY}
        )
        asked = len(judge.asked)
    assert run.wait() == 0, run.err.text()
    quality = checked(place)
    assert list(quality["ungraded_by"]) == [f"judge_error: {reason}"]
    assert quality["judge"]["calls"] == asked < JUDGED
    assert quality["score"] == 1.0
    judged = [case for case in quality["by_case"] if case.startswith("judged")]
    assert len(judged) == asked
    assert quality["judge"]["cost_usd"] is None or 0 < quality["judge"]["cost_usd"] <= 0.03
    assert reason in run.out.text()


def test_errors_of_a_judge_are_a_threshold(place: Place, agent: AgentProcess) -> None:
    with judge_beside([BAD_KEY]) as judge:
        file = write(place, agent, judge.url, top='thresholds = ["quality.judge_errors count < 1"]')
        run = place.finish("--profile", file, "--headless", "--full", env={"JUDGE_KEY": KEY})
    assert run.wait() == 99
    assert checked(place)["judge"]["errors"] > 0


@pytest.mark.parametrize("when", ["the load is over", "the load goes on"])
def test_who_stops_the_run_does_not_wait_for_its_judge(place: Place, agent: AgentProcess, when: str) -> None:
    with judge_beside([None]) as judge:
        file = write(place, agent, judge.url, 'timeout = "10m"')
        with place.start("--profile", file, "--headless", "--full", env={"JUDGE_KEY": KEY}) as run:
            viewer = run.viewer()
            viewer.wait(lambda s: s["quality"] and s["quality"]["graded"])
            if when == "the load is over":
                run.line("still to be graded: 10m at most; stop ends that")
                viewer.command("stop")
            else:
                viewer.command("stop now")
            assert run.wait() in (0, 130)
    quality = checked(place)
    assert quality["judge"]["calls"] == (4 if when == "the load is over" else 0)
    assert list(quality["ungraded_by"]) == ["judge_error: the run was stopped before it was graded"]
    assert quality["score"] == 1.0
