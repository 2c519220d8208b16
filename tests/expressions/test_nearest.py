from __future__ import annotations

from agenttop.expressions.nearest import nearest


def test_the_name_that_was_meant_is_offered_whatever_its_case() -> None:
    assert nearest("Contans", ("contains", "regex")) == '; did you mean "contains"?'


def test_nothing_is_offered_that_is_not_like_it() -> None:
    assert nearest("zzz", ("contains", "regex")) == ""
