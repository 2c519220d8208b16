"""Thresholds: expressions, selections, verdicts once a second, the circuit breaker. Pure; fed by metrics."""
