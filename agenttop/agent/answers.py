"""The agent's words, in as many tokens as were planned: what the clerk answers, and something polite after it."""

import json
from collections.abc import Mapping

from agenttop.agent.clerk import Reply
from agenttop.agent.phrases import FILLER
from agenttop.agent.plan import Plan

_MORE = {language: tuple(text.split()) for language, text in FILLER.items()}


def pieces(reply: Reply, count: int, *, cut: bool = False) -> list[str]:
    """Return an answer in exactly `count` tokens; joined they are the text.

    A short answer is filled up. One of more words than tokens has several words in some tokens, so that nothing of it
    is lost, unless it is to be `cut`: then it ends after `count` words.
    """
    words = reply.text.split()
    if len(words) > count:
        words = words[:count] if cut else [" ".join(part) for part in _even(words, count)]
    if reply.closed:
        words += [""] * (count - len(words))
    else:
        more = _MORE[reply.language]
        words += [more[index % len(more)] for index in range(count - len(words))]
    return [word if index == 0 else f" {word}" for index, word in enumerate(words)]


def planned_pieces(plan: Plan) -> list[str]:
    """Return the words of a plan's answer, a piece for each of its tokens."""
    return pieces(plan.reply, plan.calls[-1].output_tokens, cut=plan.length_limited)


def arguments_json(arguments: Mapping[str, str]) -> str:
    """Return the arguments of a tool call as the JSON string that providers send."""
    return json.dumps(dict(arguments))


def call_id(plan: Plan, index: int) -> str:
    """Return the id of a plan's tool call, the same for the same seed."""
    return f"call_{plan.number:08d}{index}"


def split_evenly(text: str, parts: int) -> list[str]:
    """Return `text` in at most `parts` non-empty pieces of about equal length."""
    size = max(1, -(-len(text) // max(1, parts)))
    return [text[start : start + size] for start in range(0, len(text), size)]


def _even(words: list[str], parts: int) -> list[list[str]]:
    """Return `words` in `parts` groups of about equal length, none of them empty."""
    return [words[len(words) * index // parts : len(words) * (index + 1) // parts] for index in range(parts)]
