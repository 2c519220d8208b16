"""What each metric is, in words and formulas; grouped as the page has them."""

from __future__ import annotations

from agenttop.thresholds.catalogue import OUTCOMES

_OUTCOME = "Requests with this outcome (page `outcomes`); as a rate their share of the requests."

FORMULAS: dict[str, dict[str, str]] = {
    "times": {
        "latency": (
            "End of the answer − first byte of the request sent. The end is the dialect's terminal event, else "
            "the last byte. Of `ok` requests."
        ),
        "response_time": (
            "End of the answer − when the plan wanted the request sent: what a user waits, free of coordinated "
            "omission. In a closed pool it equals `latency`; after retries it runs from the first attempt. Of "
            "`ok` requests."
        ),
        "ttft": (
            "Time to first token: first output that is not empty (text, reasoning, arguments of a tool call, "
            "audio) − first byte sent. A role, a comment, a ping, usage and events of the life cycle never count."
            " Of `ok` streamed answers; an answer that did not stream has none, rather than 0."
        ),
        "ttfo": (
            "Time to first output that is not reasoning − first byte sent. Equals `ttft` where there is no reasoning."
        ),
        "ttfb": "First byte of the final answer − first byte sent; interim answers (1xx) have no part in it.",
        "tpot": (
            "Time per output token after the first: (`latency` − `ttft`) / (output tokens − 1). None under 2 "
            "tokens, or where the target does not tell them."
        ),
        "inter_chunk": "Gap between two output chunks that follow each other; a record a gap.",
        "interim": (
            "First byte of the first interim answer (100 Continue, 103 Early Hints) − first byte sent; of requests "
            "that had one."
        ),
        "connect": "DNS + TCP + TLS + upgrade of a WebSocket; only of requests that opened their connection.",
        "schedule_lag": (
            "When a request was sent − when the plan wanted it sent; of open pools. It is the generator's or its "
            "limits' lateness (no free user), not the target's."
        ),
        "time_to_failure": "The same time as `latency`, of failed requests: they are in no other distribution.",
        "retry_after": (
            "What refusals ask to wait, as `Retry-After`, `retry-after-ms` or the dialect's own error says it."
        ),
        "unattributed": "`latency` − sum of the phases, 0 at least; only where phases were reported.",
        "phase": (
            "What the target says that a part of its work took: `phase.NAME`. From the `dur` of `Server-Timing` "
            "(header or trailer), from the steps of an AG-UI run, or from `[measure]` `phases`."
        ),
    },
    "shares": {
        "error_rate": "`failed` / `requests`.",
        "rps": "`requests` / measured seconds, the warm-up left out.",
        "goodput": (
            "Requests that are `ok` and within all `[objectives]`, as a share of all attempts, a number, or a second."
        ),
        "quality": (
            "Of graded answers: `quality.score` (mean over cases of the mean of a case's scores), also of a slice or "
            "stage: `quality{slice:refunds} score > 80%`; `quality.drop` (lowest users − most users, paired by case); "
            "`quality.judge_errors`, `answers`, `graded`, `ungraded`, `waiting`: counts."
        ),
        "checks": "Checks that held / checks made; `checks{check:NAME}` is one of them.",
        "rate_limit_violations": (
            "Refusals that are not as `[rate_limit]` wants them, and failures of another kind within a second of "
            "a refusal of the same request; as a rate their share of the requests."
        ),
    },
    "counts": {
        "requests": "Requests that finished: neither cancelled nor refused by the budget.",
        "attempts": ("Requests on the wire, each retry and each redirect's first request counted as it was sent."),
        "sessions": "Users' sessions that began: from `setup` to `teardown`.",
        "iterations": "Tasks that were done.",
        "dropped_iterations": "Arrivals of an open pool that found no free user (`max_users`).",
        **{name: _OUTCOME for name in OUTCOMES if name not in ("ok", "failed")},
        "ok": "Requests that were answered as they should be, all checks held.",
        "failed": "Every finished request that is not `ok`; `rate_limited` is in it and counted apart.",
        "cancelled": "Requests cut by the end of the run; in no other figure.",
        "budget_refused": "Requests never sent, for they might have gone beyond `[budget]`.",
        "user_errors": "Exceptions in users' own code (`python`); no request is one.",
        "bytes_sent": "Bytes of requests.",
        "bytes_received": "Bytes of answers.",
        "connections_opened": "Requests that opened a connection.",
        "connections_reused": "Requests on a kept connection.",
        "sent_again": (
            "Requests that were sent once more in the keep-alive race: a kept connection was lost within 100 ms of the "
            "write and not a byte was answered. Their latency runs from the first send."
        ),
        "said_nothing": "Ok answers with neither output nor usage, of a dialect whose answers have them.",
        "sessions_lost": (
            "Sessions that ended with their WebSocket between two messages, or that an answer said are not known."
        ),
        "connections_reopened": (
            "Kept connections that the target had closed, and that were opened anew for the next request; no "
            "error of the target."
        ),
    },
    "tokens": {
        "input_tokens": "Tokens read, as the target's usage tells them; cached ones are in it.",
        "output_tokens": (
            "Tokens written, as the target's usage tells them, reasoning included; where it tells none, the "
            "chunks counted (`tokens.source` says `chunks`: an estimate). Never a made-up number."
        ),
        "cached_tokens": "Those of `input_tokens` that came from a cache.",
        "reasoning_tokens": "Those of `output_tokens` that were reasoning.",
        "tokens": (
            "The same as figures of one metric: input, output, cached, reasoning, output a second, and the mean "
            "of a request that has any."
        ),
        "llm_calls": (
            "Calls of a model behind the answers, as the dialect's events show them or `[measure]` reads them."
        ),
        "tool_calls": "Calls of tools, likewise.",
        "cost_usd": ("Tokens × `[budget.price]`, of requests whose tokens the target told; none without a price."),
    },
}
