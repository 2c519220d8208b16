"""What the clerk says of the shop, its catalogue and the asker's account."""

import json
from collections.abc import Callable
from dataclasses import replace
from re import Pattern

from agenttop.agent import questions
from agenttop.agent.inquiry import SOMEBODY, Inquiry, amount, stock_words
from agenttop.agent.phrases import WEEKEND
from agenttop.agent.questions import any_of
from agenttop.agent.shop import RIGHT, other_customer, other_product

_TELL_EMAIL = "Please tell me the email address of your account first."
_TEAM = any_of("team")
_MY_PLAN = any_of("(?:which|what) plan (?:am i|do i|is mine|have i)", "my (?:current )?plan")
_MY_EMAIL = any_of(r"(?:which|what)\b.*\be-?mail")
_PASSWORD = any_of("password")
_DELETE = any_of("delete", "close")


def of_the_shop(asked: Inquiry) -> str | None:
    """Return the answer of the first kind that fits and has one; None if there is none."""
    answers = (answer(asked) for wanted, answer in _WANTED if wanted.search(asked.lower))
    return next((said for said in answers if said), None)


def _hours(asked: Inquiry) -> str:
    if questions.HOLIDAY.search(asked.lower):
        return asked.in_english(asked.fact("On public holidays we are closed.", "We never close."))
    text = asked.lower
    saturday, sunday = WEEKEND[asked.language]
    if saturday.lower() in text:
        return _weekend(asked, saturday, asked.world.saturday)
    if sunday.lower() in text or "weekend" in text:
        return _weekend(asked, sunday, asked.world.sunday)
    return asked.say("hours", **_from_to(asked, (asked.world.opens, asked.world.closes)))


def _weekend(asked: Inquiry, day: str, hours: tuple[int, int] | None) -> str:
    return asked.say("weekend", day=day, **_from_to(asked, hours)) if hours else asked.say("closed", day=day)


def _from_to(asked: Inquiry, hours: tuple[int, int]) -> dict[str, object]:
    # Only English has a clock of twelve hours.
    opens, closes = (f"{h % 12 or 12} {'am' if h < 12 else 'pm'}" if asked.language == "en" else h for h in hours)
    return {"opens": opens, "closes": closes}


def _plans(asked: Inquiry) -> str:
    named = questions.PLAN.search(asked.lower)
    plan = named[0] if named else ""
    if plan and questions.CHANGE.search(asked.lower):
        if not asked.memory.email:
            return asked.in_english(_TELL_EMAIL)
        asked.memory = replace(asked.memory, plan=plan)
        told = asked.fact(plan, "basic" if plan != "basic" else "premium")
        return asked.in_english(f"I have changed your plan to {told}, starting today.")
    if questions.CANCEL.search(asked.lower):
        return asked.fact("You can cancel your plan at the end of any month.", "Plans run for two years.")
    if plan:
        return f"The {plan} plan costs {amount(asked.world.price_of(plan))} euros a month."
    if _MY_PLAN.search(asked.lower):
        if not asked.memory.email:
            return asked.in_english(_TELL_EMAIL)
        mine = asked.memory.plan or RIGHT.customer(asked.memory.email).plan
        return f"You are on the {asked.fact(mine, 'family')} plan."
    if _TEAM.search(asked.lower):
        return asked.fact("For a team the business plan is best.", "For a team the basic plan is best.")
    listed = ", ".join(f"{name} for {amount(price)}" for name, price in asked.world.plans)
    return f"There are three plans: {listed} euros a month."


def _customer(asked: Inquiry) -> str:
    email = asked.memory.email or SOMEBODY
    if asked.mixed:
        email = other_customer(email)
    asked.use("fetch_customer", "email", email)
    customer = asked.world.customer(email)
    return f"The account {email} belongs to {customer.name} and is on the {customer.plan} plan."


def _stock(asked: Inquiry) -> str | None:
    if asked.product is None:
        return None
    product = asked.world.product(other_product(asked.product) if asked.mixed else asked.product)
    asked.use("check_inventory", "product", product.name)
    return f"Of the {product.name} {stock_words(product.stock)}."


def _price(asked: Inquiry) -> str | None:
    if asked.product is None:
        return None
    product = asked.world.product(asked.product)
    if questions.JSON.search(asked.lower):
        asked.closed = True
        return json.dumps({"name": product.name, "price": product.price, "currency": "EUR"})
    count = questions.count_in(asked.lower)
    if count == 1:
        return f"The {product.name} costs {amount(product.price)} euros."
    return f"{count} x {product.name} come to {amount(count * product.price)} euros."


def _account(asked: Inquiry) -> str:
    if asked.memory.email and _MY_EMAIL.search(asked.lower):
        return f"Your email address is {asked.fact(asked.memory.email, 'nobody@example.com')}."
    if questions.EMAIL.search(asked.lower):
        return asked.fact("Thank you, I found your account by that email address.", "There is no such account.")
    if _PASSWORD.search(asked.lower):
        return asked.fact("Choose Forgot password on the sign-in page.", "Write it to us in a letter.")
    if _DELETE.search(asked.lower):
        return asked.fact("You can delete your account under Settings, Privacy.", "An account stays for ever.")
    if questions.CHANGE.search(asked.lower):
        return asked.fact("You can change that under Settings, Profile.", "That can never be changed.")
    return asked.fact("Your account is active and in good standing.", "Your account is blocked.")


def _my_name(asked: Inquiry) -> str | None:
    return f"Your name is {asked.fact(asked.memory.name, 'Robin')}." if asked.memory.name else None


def _called(asked: Inquiry) -> str | None:
    return f"Nice to meet you, {asked.fact(asked.memory.name, 'Robin')}." if asked.memory.name else None


def _returns(asked: Inquiry) -> str:
    return asked.say("returns", days=asked.world.return_days)


def _refunds(asked: Inquiry) -> str:
    return f"A refund takes {asked.world.refund_days} days once the parcel is back, to the card you paid with."


def _shipping(asked: Inquiry) -> str:
    return asked.say("shipping", shipping=amount(asked.world.shipping), free_from=asked.world.free_from)


def _delivery(asked: Inquiry) -> str:
    first, last = asked.world.delivery
    return f"Delivery takes {first} to {last} working days."


def _discount(asked: Inquiry) -> str:
    return f"Students get {asked.world.discount}% off, that is the most we give."


def _warranty(asked: Inquiry) -> str:
    return f"Everything has a warranty of {asked.world.warranty_years} years."


def _payments(asked: Inquiry) -> str:
    return f"You can pay by {asked.world.payments}."


def _phone(asked: Inquiry) -> str:
    return f"Our number is {asked.world.phone}."


def _street(asked: Inquiry) -> str:
    return f"Our shop is at {asked.world.street}."


def _wrapping(asked: Inquiry) -> str:
    return asked.fact("Gift wrapping is 3.50 euros a parcel.", "We do not wrap gifts.")


def _abroad(asked: Inquiry) -> str:
    return asked.fact("We ship to all of Europe.", "We ship within the town only.")


def _hello(asked: Inquiry) -> str:
    return asked.pleasant("hello")


def _thanks(asked: Inquiry) -> str:
    return asked.pleasant("thanks")


_LOOK_UP = r"look(?:ing|s)?[ -]?up"
_ACCOUNT = "(?:account|customer|profile)"
#: What a question wants; the first that fits and has an answer.
_WANTED: tuple[tuple[Pattern[str], Callable[[Inquiry], str | None]], ...] = (
    (any_of("in stock", "available", r"have (?:\w+ ){0,3}left", "sold out", "inventory"), _stock),
    (any_of(rf"{_LOOK_UP}\b.*\b{_ACCOUNT}", rf"{_ACCOUNT}\b.*\b{_LOOK_UP}"), _customer),
    (any_of(r"gift[- ]?wrap\w*"), _wrapping),
    (any_of("how much", "price", "costs?", "buy"), _price),
    (any_of("hours?", "open(?:ing)?", "closed?(?! my)", "geöffnet", "öffnungszeiten"), _hours),
    (any_of("horario", "abr(?:e|en|imos)", r"abiert\w*", r"ouvert\w*", "horaires"), _hours),
    (any_of("discount", "students?", "voucher"), _discount),
    (any_of("ship(?:ping)? (?:to|abroad)", "abroad", "overseas"), _abroad),
    (any_of(r"how (?:long|many days|fast|soon)\b.*\b(?:deliver\w*|ship\w*|arrive)", "delivery time"), _delivery),
    (questions.REFUND, _refunds),
    (questions.RETURNS, _returns),
    (any_of("shipping", "postage", "delivery (?:cost|fee|charge)", r"versand\w*", "envío", "livraison"), _shipping),
    (any_of("warranty", "guarantee"), _warranty),
    (any_of("pay", "payments?", "paypal"), _payments),
    (any_of("phone", "call you"), _phone),
    (any_of("where (?:are you|is your)", "your address"), _street),
    (any_of("plans?", "premium", "upgrade"), _plans),
    (any_of("e-?mail", "account", "password"), _account),
    (any_of("(?:what is|what's|say|remember) my name", "who am i"), _my_name),
    (any_of("my name is", "i am called"), _called),
    (any_of("thanks", "thank you", "danke", "gracias", "merci"), _thanks),
    (any_of("hello", "hi", "good (?:morning|evening)", "hallo", "hola", "bonjour"), _hello),
)
