"""The agent's words: the same for the same question, so that graders have something to grade."""

import json
import re

from agenttop.agent.brain import Plan

_KNOWN = (
    (re.compile(r"\bhours?\b", re.I), "We are open Monday to Friday from 9 am to 5 pm."),
    (re.compile(r"\b(?:orders?|look(?:ing|s)?[ -]?up)\b", re.I), "Order {number} has shipped and arrives on Thursday."),
    (re.compile(r"\b(?:plan|premium|upgrade)\b", re.I), "I have changed your plan to premium, starting today."),
    (re.compile(r"\bemail\b", re.I), "Thank you, I found your account by that email address."),
    (re.compile(r"\baccount\b", re.I), "Your account is active and in good standing."),
)
_DEFAULT = "Thank you for your message, I am glad to help."
_FILLER = (
    "Please let me know if there is anything else I can do for you, our team is here to help "
    "and usually answers within a few minutes on every working day."
)
_MORE = tuple(_FILLER.split())
_NUMBER = re.compile(r"#?(\d{3,})")


def pieces(content: str, count: int) -> list[str]:
    """Return the answer to `content` in exactly `count` tokens; joined they are the text.

    A known answer comes first; a short one is filled up, and a cap below its length cuts it.
    """
    text = next((known for pattern, known in _KNOWN if pattern.search(content)), _DEFAULT)
    if "{number}" in text:
        found = _NUMBER.search(content)
        text = text.format(number=f"#{found[1]}" if found else "#10001")
    words = text.split()[:count]
    words += [_MORE[index % len(_MORE)] for index in range(count - len(words))]
    return [word if index == 0 else f" {word}" for index, word in enumerate(words)]


def call_arguments(content: str) -> str:
    """Return arguments, as a JSON string, of the tools called for `content`."""
    found = _NUMBER.search(content)
    return json.dumps({"id": found[1] if found else "10001"})


def call_id(plan: Plan, index: int) -> str:
    """Return the id of a plan's tool call, the same for the same seed."""
    return f"call_{plan.number:08d}{index}"


def split_evenly(text: str, parts: int) -> list[str]:
    """Return `text` in at most `parts` non-empty pieces of about equal length."""
    size = max(1, -(-len(text) // max(1, parts)))
    return [text[start : start + size] for start in range(0, len(text), size)]
