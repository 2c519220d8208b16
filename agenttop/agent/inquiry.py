"""One question on its way to an answer: what it names, the facts that answers are made of, and the tools used."""

from dataclasses import dataclass, replace

from agenttop.agent import questions
from agenttop.agent.phrases import SAID
from agenttop.agent.questions import Question
from agenttop.agent.shop import CATALOGUE, LATEST_ORDER, RIGHT, WRONG, Order, other_order

#: How an answer goes wrong: the first three when all slots are taken, the last at any time.
SKIPS_TOOL, CUTS_TEXT, MIXES_ORDER, WRONGLY = "skipped_tool", "cut_text", "mixed_order", "wrong"
SLIPS = (SKIPS_TOOL, CUTS_TEXT, MIXES_ORDER)
SOMEBODY = "test@example.com"  # whose account is meant where no address was told


@dataclass(frozen=True, slots=True)
class Use:
    """A use of a tool: its name, and its one argument."""

    tool: str
    argument: str
    value: str


class Inquiry:
    """One question being answered, with a slip or without."""

    def __init__(self, question: Question, slip: str) -> None:
        self.text = question.text
        self.lower = question.text.lower()
        self.triggers = question.triggers
        self.slip = slip
        self.world = WRONG if slip == WRONGLY else RIGHT
        self.memory = question.memory
        words = questions.words_of(self.lower)
        self.language = questions.language_of(words)
        self.number = questions.number_in(self.text)
        self.product = questions.product_in(words)
        self.needs: tuple[Use, ...] = ()
        self.closed = False

    @property
    def mixed(self) -> bool:
        """Return whether the answer is about another order (product, account) than is asked for."""
        return self.slip == MIXES_ORDER

    @property
    def about_an_order(self) -> bool:
        """Return whether an order is named, or what is sent for one."""
        return self.triggers or questions.PARCEL.search(self.lower) is not None

    def listen(self) -> None:
        """Keep in mind what the question tells."""
        if (email := questions.EMAIL.search(self.lower)) is not None:
            self.memory = replace(self.memory, email=email[0])
        if (name := questions.NAME.search(self.text)) is not None:
            self.memory = replace(self.memory, name=name["name"])
        if self.number is not None and (self.about_an_order or "#" in self.text):
            self.memory = replace(self.memory, order=self.number)

    def say(self, key: str, **facts: object) -> str:
        """Return a text in the language asked in, where there is one in it."""
        return (SAID[self.language].get(key) or SAID["en"][key]).format(**facts)

    def pleasant(self, key: str) -> str:
        """Return a text without facts, whose wrong form is not to have understood."""
        return self.say(self.fact(key, "lost"))

    def in_english(self, text: str) -> str:
        """Return a text that there is in English only, with an excuse in the language asked in."""
        excuse = SAID[self.language].get("only english")
        return excuse.format(text=text) if excuse else text

    def fact(self, right: str, wrong: str) -> str:
        """Return the right text, or what is said instead where nothing is as it is."""
        return right if self.world is RIGHT else wrong

    def use(self, tool: str, argument: str, value: object) -> None:
        """Note that the answer needs a tool."""
        use = Use(tool, argument, str(value))
        if use not in self.needs:
            self.needs += (use,)

    def looked_up(self) -> tuple[int, Order | None]:
        """Return the number of the order meant, and the order if there is one, looked up by the tool."""
        number = self.number if self.number is not None else self.memory.order or LATEST_ORDER
        if self.mixed:
            number = other_order(number)
        self.use("lookup_order", "order_id", number)
        return number, self.world.order(number)

    def more(self) -> tuple[Use, ...]:
        """Return tools that may be used beside those needed."""
        if not self.needs:
            return ()
        others = (
            Use("lookup_order", "order_id", str(self.memory.order or LATEST_ORDER)),
            Use("fetch_customer", "email", self.memory.email or SOMEBODY),
            Use("check_inventory", "product", CATALOGUE[self.product or 0].name),
        )
        used = {use.tool for use in self.needs}
        return tuple(use for use in others if use.tool not in used)


def amount(euros: float) -> str:
    """Return an amount as the shop writes it."""
    return f"{euros:.2f}"


def stock_words(stock: int) -> str:
    """Return how many there are."""
    return f"{stock} are in stock" if stock else "none is in stock"
