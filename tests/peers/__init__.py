"""Dialects against the servers of those who made them, with made-up models, on loopback: ``pytest -m peers``.

Deselected by default. A test is skipped where its packages are missing, or its dialect is. Servers are processes of
their own, run by ``PEERS_PYTHON`` where that is set: some peers need packages older than those agenttop runs with.
"""
