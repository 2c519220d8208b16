"""What the clerk says of one order."""

import json
from collections.abc import Callable
from re import Pattern

from agenttop.agent import questions
from agenttop.agent.inquiry import Inquiry, amount, stock_words
from agenttop.agent.phrases import DAYS
from agenttop.agent.questions import any_of
from agenttop.agent.shop import CATALOGUE, RIGHT, Order
from agenttop.agent.shop import DAYS as ENGLISH_DAYS


def of_order(asked: Inquiry) -> str | None:
    """Return the answer to a question about an order that it names, or that was named before; None if it is no such."""
    named = asked.number is not None and (asked.about_an_order or "#" in asked.text)
    of_it = asked.memory.order and questions.IT.search(asked.lower) and questions.OF_AN_ORDER.search(asked.lower)
    if not (named or of_it):
        return None
    number, order = asked.looked_up()
    if order is None:
        return asked.say("no order", number=number)
    answer = next((answer for wanted, answer in _WANTED if wanted.search(asked.lower)), _status)
    return answer(asked, order)


def of_latest_order(asked: Inquiry) -> str | None:
    """Return the state of the latest order, where a message says no more than that it is about one."""
    if not asked.about_an_order:
        return None
    _, order = asked.looked_up()
    return _status(asked, order) if order is not None else None


def _status(asked: Inquiry, order: Order) -> str:
    day = DAYS[asked.language][ENGLISH_DAYS.index(order.day)] if asked.language in DAYS else order.day
    return asked.say(order.status, number=order.number, day=day)


def _as_json(asked: Inquiry, order: Order) -> str:
    asked.closed = True
    facts = {"order_id": str(order.number), "status": order.status, "day": order.day, "item": order.product.name}
    return json.dumps({**facts, "count": order.count, "total": round(order.total, 2)})


def _stock(asked: Inquiry, order: Order) -> str:
    index = next(index for index, known in enumerate(CATALOGUE) if known.name == order.product.name)
    looked_at = RIGHT.order(order.number) or order  # what is wrong is the answer, not the call
    asked.use("check_inventory", "product", looked_at.product.name)
    stock = stock_words(asked.world.product(index).stock)
    return f"Order #{order.number} is for the {order.product.name}, of which {stock}."


def _items(asked: Inquiry, order: Order) -> str:
    return f"Order #{order.number} contains {order.count} x {order.product.name}."


def _carrier(asked: Inquiry, order: Order) -> str:
    return f"Order #{order.number} goes with {order.carrier}."


def _total(asked: Inquiry, order: Order) -> str:
    return f"Order #{order.number} comes to {amount(order.total)} euros."


def _cancel(asked: Inquiry, order: Order) -> str:
    if order.status == "processing":
        return f"Done, I have cancelled order #{order.number} before it left us."
    return f"Order #{order.number} is {order.status} already, so it can no longer be cancelled."


def _refund(asked: Inquiry, order: Order) -> str:
    euros = amount(order.total)
    if order.status == "delivered":
        days = asked.world.refund_days
        return f"I have started the refund of {euros} euros for order #{order.number}, it takes {days} days."
    if order.status in ("cancelled", "returned"):
        return f"The {euros} euros for order #{order.number} were paid back on {order.day}."
    return f"Order #{order.number} is {order.status}, so it can be refunded once it has arrived."


#: What a question about one order wants; the first that fits, else its state.
_WANTED: tuple[tuple[Pattern[str], Callable[[Inquiry, Order], str]], ...] = (
    (questions.JSON, _as_json),
    (any_of("stock", "re-?order"), _stock),
    (questions.CANCEL, _cancel),
    (questions.REFUND, _refund),
    (questions.RETURNS, _refund),
    (any_of("carrier", "who (?:delivers|brings)", "tracking", "which (?:courier|company)"), _carrier),
    (any_of("how much", "total", "costs?", "price", "pa(?:y|id)"), _total),
    (any_of("what(?:'s| is| was)? in", "items?", "contains?", "contents", "did i (?:buy|order)"), _items),
)
