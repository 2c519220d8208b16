from __future__ import annotations

import json
import sys

import pytest

from agenttop.quality.packages import MissingPackage, needed
from tests.quality.reading import problems


def test_a_module_that_is_there_is_returned() -> None:
    assert needed("json", "tests") is json


@pytest.mark.parametrize(
    ("module", "grader", "said"),
    [
        ("jsonschema", {"type": "is-json", "value": {"type": "object"}}, "JSON Schemas need jsonschema"),
        ("rapidfuzz", {"type": "similar", "value": "x"}, "graders by edit distance need rapidfuzz"),
    ],
)
def test_a_package_that_is_missing_is_one_line_with_the_remedy(
    module: str, grader: object, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingPackage, match=r"pip install 'agenttop\[quality\]'"):
        needed(module, "tests")
    (found,) = problems("a.jsonl", json.dumps({"input": "x", "graders": [grader]}))
    assert found == f"a.jsonl:1: {said}, which is not installed: pip install 'agenttop[quality]'"
