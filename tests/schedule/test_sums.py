from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from agenttop.schedule.sums import ExactSum


@given(st.lists(st.floats(-1e9, 1e9) | st.sampled_from([0.1, 1e16, -1e16, 1e-300]), max_size=40))
def test_every_sum_is_that_of_all_terms_rounded_once(terms: list[float]) -> None:
    total = ExactSum()
    assert [total.add(term) for term in terms] == [math.fsum(terms[:count]) for count in range(1, len(terms) + 1)]
