"""The shop that the agent answers for: its facts, all of them functions of what is asked, so that an answer is right or
wrong.
"""

from dataclasses import dataclass

TOOLS = ("lookup_order", "check_inventory", "fetch_customer")

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
STATUSES = ("shipped", "processing", "delivered", "cancelled", "returned")
CARRIERS = ("UPS", "DHL", "FedEx", "GLS")
FIRST_ORDER, LAST_ORDER = 10_000, 89_999
LATEST_ORDER = 10_001  # of whoever asks about an order without its number
#: From an order to one that has another status, item, carrier and day; from a product to another one.
APART = 9


@dataclass(frozen=True, slots=True)
class Product:
    """A thing of the catalogue: `price` in euros, `stock` in pieces."""

    name: str
    price: float
    stock: int


CATALOGUE = (
    Product("blue mug", 12.50, 34),
    Product("green teapot", 39.00, 0),
    Product("desk lamp", 54.90, 12),
    Product("wool blanket", 79.00, 7),
    Product("cotton towel", 14.00, 120),
    Product("walnut tray", 28.50, 0),
    Product("glass carafe", 22.00, 41),
    Product("linen apron", 31.00, 18),
    Product("bread knife", 45.00, 9),
    Product("iron pan", 65.00, 5),
    Product("candle set", 18.00, 60),
    Product("wall clock", 49.00, 0),
)


@dataclass(frozen=True, slots=True)
class Customer:
    """An account."""

    email: str
    name: str
    plan: str


CUSTOMERS = (
    Customer("anna@example.com", "Anna Berg", "premium"),
    Customer("ben@example.com", "Ben Okafor", "basic"),
    Customer("chloe@example.com", "Chloe Martin", "business"),
    Customer("diego@example.com", "Diego Ruiz", "basic"),
    Customer("emma@example.com", "Emma Lang", "premium"),
    Customer("test@example.com", "Terry Test", "basic"),
)


@dataclass(frozen=True, slots=True)
class Order:
    """An order. `day` is when it arrives, leaves or did what its status says."""

    number: int
    status: str
    day: str
    product: Product
    count: int
    carrier: str

    @property
    def total(self) -> float:
        """Return what it cost, in euros."""
        return self.count * self.product.price


@dataclass(frozen=True, slots=True)
class World:
    """The facts an answer is made of. Amounts are euros, hours those of the day, times days unless named otherwise."""

    opens: int = 9
    closes: int = 17
    saturday: tuple[int, int] | None = (10, 14)
    sunday: tuple[int, int] | None = None
    return_days: int = 30
    refund_days: int = 5
    shipping: float = 4.90
    free_from: int = 50
    delivery: tuple[int, int] = (2, 3)
    warranty_years: int = 2
    discount: int = 10
    plans: tuple[tuple[str, float], ...] = (("basic", 0.0), ("premium", 9.90), ("business", 29.00))
    phone: str = "+49 30 555 0140"
    street: str = "12 Harbour Street"
    payments: str = "credit card, PayPal and bank transfer"
    apart: int = 0
    """How far from the right one a record is that is looked up."""

    def order(self, number: int) -> Order | None:
        """Return what is said of an order; None if there is none of this number."""
        if not FIRST_ORDER <= number <= LAST_ORDER and not self.apart:
            return None
        at = number + self.apart
        product = CATALOGUE[at % len(CATALOGUE)]
        status, carrier = STATUSES[at % len(STATUSES)], CARRIERS[at % len(CARRIERS)]
        return Order(number, status, DAYS[at // 7 % len(DAYS)], product, 1 + at % 3, carrier)

    def product(self, index: int) -> Product:
        """Return what is said of the product at `index` of the catalogue."""
        told = CATALOGUE[(index + self.apart) % len(CATALOGUE)]
        return Product(CATALOGUE[index].name, told.price, told.stock)

    def customer(self, email: str) -> Customer:
        """Return what is said of an account; an address that nobody knows has one on the basic plan."""
        index = next((index for index, known in enumerate(CUSTOMERS) if known.email == email.lower()), None)
        if self.apart:
            told = CUSTOMERS[((index if index is not None else 3) + 1) % len(CUSTOMERS)]
            return Customer(email, told.name, told.plan)
        return CUSTOMERS[index] if index is not None else Customer(email, email.partition("@")[0].title(), "basic")

    def price_of(self, plan: str) -> float:
        """Return what a plan costs a month."""
        return dict(self.plans)[plan]


RIGHT = World()
#: Where nothing is as it is: what an answer is made of that is plainly wrong.
WRONG = World(
    opens=8,
    closes=16,
    saturday=None,
    sunday=(11, 15),
    return_days=14,
    refund_days=21,
    shipping=7.50,
    free_from=120,
    delivery=(8, 10),
    warranty_years=5,
    discount=25,
    plans=(("basic", 4.50), ("premium", 14.00), ("business", 55.00)),
    phone="+49 40 555 0177",
    street="3 Mill Lane",
    payments="cash and cheque",
    apart=APART,
)


def other_order(number: int) -> int:
    """Return the number of another order, all of whose facts are others."""
    return number + APART if number + APART <= LAST_ORDER else FIRST_ORDER + number % 1000


def other_product(index: int) -> int:
    """Return the index of another product."""
    return (index + APART) % len(CATALOGUE)


def other_customer(email: str) -> str:
    """Return the address of somebody else."""
    known = [customer.email for customer in CUSTOMERS]
    return known[(known.index(email) + 1) % len(known)] if email in known else known[0]
