"""What TLS costs: the same requests with and without it, on connections that are kept and on new ones."""

from __future__ import annotations

from tests.benchmarks import profiles
from tests.benchmarks.nginx import nginx_tls
from tests.benchmarks.options import Options, begin
from tests.benchmarks.program import figure
from tests.benchmarks.results import Results
from tests.benchmarks.targets import judge
from tests.benchmarks.work import Work, run_and_work

TARGET_X_PLAIN = 0.6


def tls(options: Options) -> Results:
    """Requests per second of 64 users over TLS, beside plain ones in the same round."""
    results = begin("tls: 64 users against nginx, certificates verified, no think time")
    results.note("new connections: the server closes after every answer, so each request pays for TCP (and TLS)")
    seconds = 2 if options.quick else 5
    with nginx_tls() as urls:
        pairs = {"kept connections": (urls.plain, urls.tls), "new connections": (urls.plain_anew, urls.tls_anew)}
        for _ in range(options.rounds):
            for kind, pair in pairs.items():
                rates: dict[str, float] = {}
                works: dict[str, Work] = {}
                for name, url in zip(("plain", "TLS"), pair, strict=True):
                    profile = profiles.TLS.format(url=url, ca=urls.ca, seconds=seconds + 1)
                    summary, works[name] = run_and_work(profile, lasts_s=seconds + 1)
                    totals, case = summary["totals"], f"{kind}, {name}"
                    results.expect(not totals["failed"], f"{case}: {totals['failed']} failed: {totals['errors'][:1]}")
                    rates[name] = totals["rps"]
                    results.add(
                        case,
                        requests_per_s=totals["rps"],
                        x_plain=rates[name] / rates["plain"],
                        x_plain_by_CPU=works[name].per_cpu_s / works["plain"].per_cpu_s,
                        p50_ms=figure(totals["latency_ms"], "p50"),
                        p99_ms=figure(totals["latency_ms"], "p99"),
                        connect_p50_ms=figure(totals["connect_ms"], "p50"),
                        connections=totals["connections_opened"],
                    )
    judge(results, "kept connections, TLS", "x_plain", at_least=TARGET_X_PLAIN)
    return results
