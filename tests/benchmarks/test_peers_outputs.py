"""What load tools report: recorded from wrk 4.1.0, hey 0.1.4, ab 2.3, Locust 2.47.0, autocannon 9.0.0 and Artillery
2.0.34, in excerpts; of vegeta, oha and k6 what their documentation shows.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.benchmarks.peers import outputs
from tests.benchmarks.peers.outputs import Measured
from tests.benchmarks.program import BenchmarkError

WRK = """\
Running 2s test @ http://127.0.0.1:45683/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.56ms    3.02ms  16.95ms   83.22%
    Req/Sec    34.16k     4.66k   40.24k    60.00%
  Latency Distribution
     50%  516.00us
     75%    4.28ms
     90%    6.92ms
     99%   12.46ms
  69144 requests in 2.04s, 9.89MB read
Requests/sec:  33921.79
Transfer/sec:      4.85MB
"""
WRK_REFUSED = """\
  Latency Distribution
     50%   28.00us
     75%   29.00us
     90%   31.00us
     99%    3.37ms
  128607 requests in 1.01s, 45.87MB read
  Non-2xx or 3xx responses: 128607
Requests/sec: 127157.91
Transfer/sec:     45.35MB
"""
HEY = """

Summary:
  Total:	2.0126 secs
  Slowest:	0.0354 secs
  Requests/sec:	24409.4001

Response time histogram:
  0.000 [1]	|
  0.004 [39447]	|■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■
  0.035 [16]	|


Latency distribution:
  10% in 0.0007 secs
  50% in 0.0022 secs
  99% in 0.0103 secs

Details (average, fastest, slowest):
  resp read:	0.0000 secs, 0.0000 secs, 0.0063 secs

Status code distribution:
  [200]	49127 responses
"""
HEY_REFUSED = 'Error distribution:\n  [31237]\tGet "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: refused\n'
AB = """\
Document Length:        3 bytes

Concurrency Level:      64
Time taken for tests:   2.000 seconds
Complete requests:      72362
Failed requests:        0
Keep-Alive requests:    72362
Requests per second:    36176.55 [#/sec] (mean)
Time per request:       1.769 [ms] (mean)

Percentage of the requests served within a certain time (ms)
  50%      0
  66%      0
  95%      7
  99%     13
 100%     61 (longest request)
"""
AUTOCANNON: dict[str, Any] = {
    "url": "http://127.0.0.1:45683/",
    "duration": 2.07,
    "samples": 2,
    "errors": 0,
    "timeouts": 0,
    "non2xx": 0,
    "2xx": 34958,
    "latency": {"average": 3.18, "p50": 2, "p99": 15, "p99_9": 37, "totalCount": 34958},
    "requests": {"average": 17472, "mean": 17472, "stddev": 200, "total": 34958, "p50": 17279, "sent": 35022},
}
ARTILLERY: dict[str, Any] = {
    "aggregate": {
        "counters": {
            "vusers.created": 64,
            "http.requests": 8236,
            "http.codes.200": 8236,
            "http.responses": 8236,
            "plugins.metrics-by-endpoint./.codes.200": 8236,
            "vusers.failed": 0,
            "vusers.completed": 64,
        },
        "rates": {"http.request_rate": 1686},
        "firstMetricAt": 1795446221247,
        "lastMetricAt": 1795446226168,
        "summaries": {"http.response_time": {"min": 1, "max": 94, "count": 8236, "p50": 29.1, "p99": 76}},
    },
    "intermediate": [],
}
ARTILLERY_REFUSED: dict[str, Any] = {
    "aggregate": {
        "counters": {"http.requests": 2, "errors.ECONNREFUSED": 2, "vusers.failed": 2},
        "firstMetricAt": 1795447265993,
        "lastMetricAt": 1795447266514,
        "summaries": {},
    }
}
LOCUST: list[dict[str, Any]] = [
    {
        "name": "/",
        "num_requests": 2601,
        "num_failures": 0,
        "response_times": {"23": 1, "8": 34, "1": 151, "0": 2152, "94": 1, "4": 61},
        "num_reqs_per_sec": {"1795447240": 101, "1795447241": 973, "1795447242": 903, "1795447243": 624},
    },
    {
        "name": "/none",
        "num_requests": 2524,
        "num_failures": 2524,
        "response_times": {"40": 1, "1": 195, "6": 11, "0": 2059},
        "num_reqs_per_sec": {"1795447240": 63, "1795447241": 947, "1795447242": 886, "1795447243": 628},
    },
]
VEGETA: dict[str, Any] = {
    "latencies": {"total": 237119463, "mean": 2371194, "50th": 2854306, "99th": 3530000, "max": 3660505},
    "requests": 100,
    "rate": 101.01010672380401,
    "throughput": 101.00012489812,
    "success": 1,
    "status_codes": {"200": 100},
    "errors": [],
}
OHA: dict[str, Any] = {
    "summary": {"successRate": 1.0, "total": 2.0, "requestsPerSec": 41000.5},
    "latencyPercentiles": {"p50": 0.0012, "p99": 0.0098},
    "statusCodeDistribution": {"200": 82001},
    "errorDistribution": {"aborted due to deadline": 64},
}
K6: dict[str, Any] = {
    "metrics": {
        "http_reqs": {"type": "counter", "values": {"count": 180, "rate": 4.36938}},
        "http_req_duration": {"type": "trend", "values": {"med": 110.47, "p(99)": 1140.0}},
        "http_req_failed": {"type": "rate", "values": {"rate": 0, "passes": 0, "fails": 180}},
    }
}


@pytest.mark.parametrize(
    ("parse", "report", "measured"),
    [
        (outputs.wrk, WRK, Measured(33921.79, 0.516, 12.46)),
        (outputs.hey, HEY, Measured(24409.4001, 2.2, 10.3)),
        (outputs.ab, AB, Measured(36176.55, 0.0, 13.0)),
        (outputs.autocannon, AUTOCANNON, Measured(17472, 2, 15)),
        (outputs.artillery, ARTILLERY, Measured(8236 / 4.921, 29.1, 76)),
        # Both rows, of the two seconds in the middle; of 4 666 times 4 211 are 0 ms, 4 618 up to 4 and 4 629 up to 6.
        (outputs.locust, LOCUST, Measured((973 + 903 + 947 + 886) / 2, 0.0, 6.0, 2524)),
        (outputs.vegeta, VEGETA, Measured(101.00012489812, 2.854306, 3.53)),
        (outputs.oha, OHA, Measured(41000.5, 1.2, 9.8)),
        (outputs.k6, K6, Measured(4.36938, 110.47, 1140.0)),
    ],
)
def test_a_report_is_read(parse: Callable[[str], Measured], report: Any, measured: Measured) -> None:
    read = parse(report if isinstance(report, str) else json.dumps(report))
    assert dataclasses.astuple(read) == pytest.approx(dataclasses.astuple(measured))


def test_answers_that_are_no_success_are_failures() -> None:
    assert outputs.wrk(WRK_REFUSED).failed == 128607
    assert outputs.wrk(WRK + "  Socket errors: connect 0, read 2, write 0, timeout 5\n").failed == 7
    assert outputs.hey(HEY.replace("[200]", "[503]")).failed == 49127
    assert outputs.hey(HEY + "\n" + HEY_REFUSED).failed == 31237
    assert outputs.ab(AB + "Non-2xx responses:      4\n").failed == 4
    assert outputs.autocannon(json.dumps(AUTOCANNON | {"errors": 3, "non2xx": 4})).failed == 7
    refused = {**VEGETA, "status_codes": {"0": 2, "200": 90, "429": 8}}
    assert outputs.vegeta(json.dumps(refused)).failed == 10
    assert outputs.oha(json.dumps(OHA | {"statusCodeDistribution": {"200": 1, "503": 9}})).failed == 9
    assert outputs.oha(json.dumps(OHA | {"errorDistribution": {"connection refused": 5}})).failed == 5


def test_artillery_counts_codes_of_requests_once() -> None:
    report = json.dumps(ARTILLERY).replace("codes.200", "codes.503")
    assert outputs.artillery(report).failed == 8236


def test_k6_counts_requests_and_checks_that_failed() -> None:
    metrics = K6["metrics"] | {
        "http_req_failed": {"values": {"passes": 3, "fails": 177}},
        "checks": {"values": {"rate": 0.75, "passes": 45, "fails": 15}},
    }
    assert outputs.k6(json.dumps({"metrics": metrics})).failed == 18


def test_a_second_in_which_locust_did_nothing_counts() -> None:
    row = LOCUST[0] | {"num_reqs_per_sec": {"10": 5, "11": 90, "13": 30, "14": 5}}
    assert outputs.locust(json.dumps([row])).requests_per_s == 40


@pytest.mark.parametrize(
    ("parse", "report"),
    [
        (outputs.wrk, "unable to connect to 127.0.0.1:1 Connection refused\n"),
        (outputs.wrk, "Requests/sec:  33921.79\n"),
        (outputs.hey, HEY_REFUSED),
        (outputs.ab, "apr_socket_recv: Connection refused (111)\n"),
        (outputs.locust, "[]"),
        (outputs.locust, json.dumps([LOCUST[0] | {"num_reqs_per_sec": {"10": 5, "11": 9}}])),
        (outputs.autocannon, "Error: connect ECONNREFUSED"),
        (outputs.artillery, json.dumps(ARTILLERY_REFUSED)),
    ],
)
def test_no_result_is_an_error(parse: Callable[[str], Measured], report: str) -> None:
    with pytest.raises(BenchmarkError):
        parse(report)
