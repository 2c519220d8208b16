"""Which values of the environment look like keys that spend money."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.profile.live_keys import provider_of
from tests.profile.writing import SMALL, load

A = "Ab1" * 20


@pytest.mark.parametrize(
    ("value", "provider"),
    [
        (f"sk-proj-{A}", "OpenAI"),
        (f"Bearer sk-svcacct-{A}", "OpenAI"),
        (f"sk-{A[:20]}T3BlbkFJ{A[:20]}", "OpenAI"),
        (f"sk-{A[:48]}", "OpenAI or DeepSeek"),
        (f"sk-ant-api03-{A}", "Anthropic"),
        (f"sk-or-v1-{A}", "OpenRouter"),
        (f"AIza{A[:35]}", "Google"),
        (f"gsk_{A}", "Groq"),
        (f"xai-{A}", "xAI"),
        (f"hf_{A[:34]}", "Hugging Face"),
        ("test", None),
        ("sk-test", None),
        ("dummy-key-for-the-local-server", None),
        (A, None),
        ("", None),
    ],
)
def test_whose_a_key_is(value: str, provider: str | None) -> None:
    assert provider_of(value) == provider


def test_only_variables_that_the_profile_uses_are_looked_at(tmp_path: Path) -> None:
    text = SMALL + '[headers]\nx-key = "${KEY}"\nx-other = "${OTHER}"\n'
    env = {"KEY": f"gsk_{A}", "OTHER": "mine", "UNUSED": f"xai-{A}"}
    assert load(tmp_path, text, env=env).live_keys == (("KEY", "Groq"),)
