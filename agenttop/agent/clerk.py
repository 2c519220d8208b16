"""The shop's clerk: what it answers to a question, which tools it needs, and what it keeps in mind. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from agenttop.agent import questions
from agenttop.agent.inquiry import SKIPS_TOOL, Inquiry, Use
from agenttop.agent.order_answers import of_latest_order, of_order
from agenttop.agent.questions import NOTHING_YET, Memory, Question
from agenttop.agent.shop import RIGHT
from agenttop.agent.shop_answers import of_the_shop


@dataclass(frozen=True, slots=True)
class Reply:
    """What the clerk answers. `needs` are the tools it cannot do without, `more` such as it may use as well; after a
    `closed` text nothing can follow.
    """

    text: str
    memory: Memory
    language: str
    needs: tuple[Use, ...]
    more: tuple[Use, ...]
    closed: bool


@lru_cache(maxsize=4096)
def reply(question: Question, slip: str = "") -> Reply:
    """Return the answer to a question; with a `slip`, what it becomes then (a text that is cut is whole here)."""
    asked = Inquiry(question, slip)
    text = _refusal(asked) or _answer(asked)
    if slip == SKIPS_TOOL and asked.needs:
        # What somebody says who did not look.
        text = asked.say("guess")
    return Reply(text, asked.memory, asked.language, asked.needs, asked.more(), asked.closed)


def _refusal(asked: Inquiry) -> str | None:
    refused = questions.refused(asked.lower)
    if refused is None:
        return None
    # Plainly wrong is to do it.
    return asked.say(asked.fact(refused, "complies"), discount=RIGHT.discount)


def _answer(asked: Inquiry) -> str:
    asked.listen()
    text = of_order(asked) or of_the_shop(asked) or of_latest_order(asked) or asked.pleasant("default")
    if not asked.needs and asked.triggers:
        asked.looked_up()
    return text


def remember(memory: Memory, text: str) -> Memory:
    """Return what is known once `text` was said too."""
    return reply(questions.question(text, memory)).memory


def last_question(texts: Iterable[str]) -> Question:
    """Return the last question of a conversation, the earlier ones remembered; an empty one if there is none."""
    memory, last = NOTHING_YET, ""
    for text in texts:
        memory, last = remember(memory, last) if last else memory, text
    return questions.question(last, memory)
