"""The page ``quality`` of the reference says what the graders and formats are."""

from __future__ import annotations

import json
import re

import pytest

from agenttop.explain.pages import read_pages
from agenttop.explain.topics import topics_of
from agenttop.quality.graders import GRADERS
from agenttop.quality.specs import read_graders
from tests.quality.reading import sound

PAGE = next(page for page in read_pages() if page.name == "quality")
TOPICS = {name: topic for topic in topics_of([PAGE]) for name in topic.names}


@pytest.mark.parametrize("name", GRADERS)
def test_every_grader_has_its_entry_with_all_its_options(name: str) -> None:
    assert name in TOPICS
    for option in GRADERS[name].options - {"of" if name == "choice" else ""}:
        assert f"`{option}" in TOPICS[name].text, option


def test_the_examples_are_read_without_a_problem() -> None:
    cases, graders = re.findall(r"```json\n(.*?)```", PAGE.text, re.DOTALL)
    specs = read_graders(json.loads(graders), lambda index, message: pytest.fail(f"{index}: {message}"))
    assert len(specs) == 15
    lines = re.sub(r"\n +", " ", cases)
    assert [case.id for case in sound("a.jsonl", lines)] == ["hours-1", "order-1"]


def test_the_example_in_python_is_one() -> None:
    (text,) = re.findall(r"```python\n(.*?)```", PAGE.text, re.DOTALL)
    names: dict[str, object] = {}
    exec(text, names)
    assert callable(names["polite"])
