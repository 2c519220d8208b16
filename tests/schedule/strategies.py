"""Plans to test with."""

from __future__ import annotations

from hypothesis import strategies as st

from agenttop.schedule.stages import Ramp, Stage

_values = st.integers(0, 400).map(lambda tenths: tenths / 10)

stages = st.builds(
    Stage, duration=st.integers(0, 600).map(lambda tenths: tenths / 10), target=_values, step=st.booleans()
)
ramps = st.builds(Ramp, st.lists(stages, min_size=1, max_size=6), _values)
