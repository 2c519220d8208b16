"""Recognises keys of public providers, which spend real money."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The prefixes that providers document for their keys, or that secret scanners know them by. Which account a key belongs
# to cannot be seen: one for tests looks the same, and should have a budget too.
_PROVIDERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("Anthropic", r"sk-ant-[\w-]{16,}"),
        ("OpenRouter", r"sk-or-[\w-]{16,}"),
        ("OpenAI", r"sk-(?:proj|svcacct|admin|None)-[\w-]{16,}|sk-\w{20}T3BlbkFJ\w{20}"),
        ("OpenAI or DeepSeek", r"sk-[0-9A-Za-z]{32,}"),
        ("Google", r"AIza[\w-]{30,}"),
        ("Groq", r"gsk_\w{20,}"),
        ("xAI", r"xai-[\w-]{20,}"),
        ("Hugging Face", r"hf_[0-9A-Za-z]{20,}"),
        ("Perplexity", r"pplx-[0-9A-Za-z]{20,}"),
        ("Replicate", r"r8_[0-9A-Za-z]{20,}"),
        ("Together", r"tgp_v1_[\w-]{20,}"),
        ("Fireworks", r"fw_[0-9A-Za-z]{20,}"),
    )
)


def provider_of(value: str) -> str | None:
    """Return whose key a value of the environment looks like, with or without ``Bearer`` before it; None for no
    provider's.
    """
    key = value.strip().removeprefix("Bearer ").strip()
    return next((name for name, pattern in _PROVIDERS if pattern.fullmatch(key)), None)


def live_keys(used: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return name and provider of each variable (by name) that looks like a provider's key."""
    found = ((name, provider_of(value)) for name, value in sorted(used.items()))
    return tuple((name, provider) for name, provider in found if provider is not None)
