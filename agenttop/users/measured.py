"""What a pool reads by ``[measure]``: its paths, compiled, and their keys in the order of their bits."""

from __future__ import annotations

from agenttop.dialects.json_ import CALLS, Measure, keys_of
from agenttop.profile import model
from agenttop.profile.measured import compile_measured
from agenttop.profile.model import Pool, Profile


def measure_paths(measure: model.Measure) -> Measure:
    """Return the table with its paths compiled."""
    return {
        key: {name: compile_measured(path) for name, path in value.items()}
        if isinstance(value, dict)
        else compile_measured(value, calls=key in CALLS)
        for key, value in measure.model_dump(exclude_none=True).items()
    }


def measured_keys(profile: Profile, pool: Pool) -> tuple[str, ...]:
    """Return the keys of the pool's table, in the order of their bits (``json_.keys_of``)."""
    return keys_of((pool.measure or profile.measure).model_dump(exclude_none=True))
