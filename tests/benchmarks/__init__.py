"""How fast the program is, and how true: ``python -m tests.benchmarks WHAT [--quick] [--json FILE]``.

WHAT is one of ``http script tls sse ws open users workers memory screen truth capacity agent peers``.

Each benchmark drives the whole program as a user would (a profile, ``--headless``, one worker, every metric on) and
reads its summary. Rounds are interleaved, so what a shared machine does to one subject it does to the others too: trust
the ratios more than the rates.
``test_micro_*.py`` time the pieces of the hot path: ``pytest tests/benchmarks --benchmark-enable``.
"""
