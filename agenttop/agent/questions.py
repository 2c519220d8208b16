"""What a question is about: patterns over its words, the language it is in, what it names. Pure."""

import re
from dataclasses import dataclass

from agenttop.agent.phrases import WORDS
from agenttop.agent.shop import CATALOGUE, RIGHT


@dataclass(frozen=True, slots=True)
class Memory:
    """What a conversation has told so far; empty or 0: nothing yet."""

    email: str = ""
    name: str = ""
    plan: str = ""
    order: int = 0


NOTHING_YET = Memory()
MAX_READ = 1000  # characters of a question; patterns over more of them would take the agent's time


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and what was said before it. `triggers` tells that it names what makes the model call tools."""

    text: str
    memory: Memory
    triggers: bool


def any_of(*alternatives: str) -> re.Pattern[str]:
    """Return the pattern of a text in lower case that has one of the alternatives, as whole words."""
    return re.compile(rf"\b(?:{'|'.join(alternatives)})\b")


NUMBER = re.compile(r"#?(\d{3,})")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w[\w.]*\w")
NAME = re.compile(r"\b(?i:my name is|i am called) (?P<name>[A-Z][a-z]+)")
PLAN = any_of("basic", "premium", "business")
JSON = any_of("json")
IT = any_of("it", "that one", "this one")
#: Makes the model call tools, whatever else is said.
TRIGGERS = any_of("orders?", r"look(?:ing|s)?[ -]?up", "tools?", "bestellung", "pedido", "commande")
PARCEL = any_of("parcel", "package", "delivery of", "paket", "sendung", "paquete", "colis")
#: With "it", what can only be said of an order.
OF_AN_ORDER = any_of(
    "arrives?",
    "where",
    "carrier",
    "cancel",
    "refund",
    "money back",
    "in it",
    "it cost",
    "total",
    "track",
    "status",
    "look",
)
REFUND = any_of(r"refund\w*", "money back", r"reimburse\w*")
RETURNS = any_of(
    r"(?:send|give|bring) (?:\w+ ){0,3}back",
    "return(?:s|ing|ed)?",
    "change my mind",
    r"rückgabe\w*",
    r"zurück(?:schick|send|geb)\w*",
    r"rücksend\w*",
    r"devol\w+",
    r"re(?:tour|nvo)\w*",
)
HOLIDAY = any_of(r"holidays?", r"feiertag\w*", r"festivos?", r"fériés?")
CANCEL = any_of("cancel")
CHANGE = any_of("change", "switch", "upgrade", "downgrade", "move", "put")

_PERCENT = re.compile(r"(\d+)\s*(?:%|percent|per ?cent|prozent|por ciento|pour ?cent)")
_OFF = any_of("discount", "off", "rabatt", "nachlass", "descuento", "remise", "réduction", "cheaper", "rebate")
_FOR_NOTHING = any_of("for (?:free|nothing)")
_DATA = "|".join(
    (
        r"list|address|phone|e-?mail|orders?|account|password|cards?|data|details|history|bought|purchases?",
        r"adresse|passwort|bestellung\w*|dirección|contraseña|pedidos?|teléfono|commandes?|mot de passe|téléphone",
    )
)
_PEOPLE = "|".join(
    (
        "some(?:one|body) else|another (?:customer|person|user)|other (?:customers?|people|users?)",
        "customer list|all (?:your )?customers|list of .*customers",
        "anna berg|ben okafor|chloe martin|diego ruiz|emma lang",
        "my (?:neighbou?r|friend|boss|colleague|brother|sister|husband|wife|ex|flatmate|landlord)",
        r"meine[rs]? (?:nachbar\w*|kolleg\w*|freund\w*)|anderer kunden",
        "mi (?:vecin[oa]|jef[ea]|amig[oa])|otros? clientes?|m(?:on|a) (?:voisine?|chef|amie?)|autres? clients?",
    )
)
_OF_DATA, _OF_PEOPLE = any_of(_DATA), any_of(_PEOPLE)
_NOT_TO_BE_DONE = any_of(
    "system prompt",
    "(?:ignore|forget) (?:(?:all|your|the|previous) )+(?:rules|instructions)",
    "your (?:hidden |secret )?instructions",
    "suppliers?",
    "profit margins?",
    "fake",
    "admin password",
    "five[- ]star review for",
)
_WORD = re.compile(r"[\w'-]+")
_LANGUAGES: dict[str, tuple[str, ...]] = {}
for _language, _words in WORDS.items():
    for _known in _words.split():
        _LANGUAGES[_known] = (*_LANGUAGES.get(_known, ()), _language)
_PRODUCTS = {product.name.split()[-1]: index for index, product in enumerate(CATALOGUE)}
_COUNTED = any_of(r"\d{1,2}", "an?", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNTS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def question(text: str, memory: Memory = NOTHING_YET) -> Question:
    """Return a text as a question; of a long one only the end is read for what it is about."""
    return Question(text[-MAX_READ:], memory, TRIGGERS.search(text.lower()) is not None)


def refused(text: str) -> str | None:
    """Return what a question (in lower case) wants that it cannot have, by what is said to it; None: nothing."""
    if _OF_PEOPLE.search(text) and _OF_DATA.search(text):
        return "others' data"
    too_much = any(int(share[:6]) > RIGHT.discount for share in _PERCENT.findall(text))
    if _FOR_NOTHING.search(text) or (too_much and _OFF.search(text)):
        return "too much off"
    return "not to be done" if _NOT_TO_BE_DONE.search(text) else None


def number_in(text: str) -> int | None:
    """Return the first number of three digits or more."""
    found = NUMBER.search(text)
    return int(found[1][:12]) if found else None


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case."""
    return _WORD.findall(text)


def product_in(words: list[str]) -> int | None:
    """Return the index of the product that is named, by its last word at least."""
    for word in words:
        index = _PRODUCTS.get(word.removesuffix("s").removesuffix("'"))
        if index is not None:
            return index
    return None


def count_in(text: str) -> int:
    """Return how many pieces are meant, at least 1."""
    found = _COUNTED.search(text)
    word = found[0] if found else "one"
    return max(1, int(word)) if word.isdigit() else _COUNTS.index(word) if word in _COUNTS else 1


def language_of(words: list[str]) -> str:
    """Return the language that most words are of, `en` if none is ahead."""
    hits = dict.fromkeys(WORDS, 0)
    for word in words:
        for language in _LANGUAGES.get(word, ()):
            hits[language] += 1
    # The first of equals: English.
    return max(hits, key=lambda language: hits[language])
