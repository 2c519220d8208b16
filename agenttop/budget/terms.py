"""How the requests of a run count against its budget: the caps, the prices, the worst case of one request."""

from __future__ import annotations

from dataclasses import dataclass

from agenttop.budget.amount import Amount

# Of a request in flight nobody knows yet what it will use, so it is counted at its worst case:
#
#     input    max_input_tokens; without it one token a byte of the body, for no tokenizer makes more tokens of a text
#              than it has bytes. What an agent adds by itself (instructions, memory, further model calls) is not in the
#              body: there max_input_tokens has to be written.
#     output   max_output_tokens
#
# What an answer then tells is what it used. An answer that tells nothing keeps its worst case, unless the request was
# refused (4xx), redirected or never arrived: then it used no tokens.


@dataclass(frozen=True, slots=True)
class Terms:
    """The caps of a run and the prices of its tokens, in pico-dollars a token."""

    requests: int | None = None
    tokens: int | None = None
    cost: int | None = None
    """These three are the caps, money in pico-dollars; None without a cap."""
    max_output: int = 0
    max_input: int | None = None
    input_price: int = 0
    output_price: int = 0
    cached_price: int = 0

    @property
    def by_tokens(self) -> bool:
        """Return whether tokens or money are capped, so that requests have a worst case."""
        return self.tokens is not None or self.cost is not None

    @property
    def cap(self) -> Amount:
        """Return the caps; 0 for what has none."""
        return Amount(self.requests or 0, self.tokens or 0, self.cost or 0)

    def capped(self, amount: Amount) -> Amount:
        """Return the amount with 0 for what has no cap."""
        return Amount(
            0 if self.requests is None else amount.requests,
            0 if self.tokens is None else amount.tokens,
            0 if self.cost is None else amount.cost,
        )

    def worst(self, body_bytes: int, max_output: int | None = None) -> Amount:
        """Return the worst case of a request.

        Args:
            body_bytes: the length of its body.
            max_output: its own, where it has one; 0 says that it calls no model.
        """
        if not self.by_tokens or max_output == 0:
            return Amount(1)
        read = body_bytes if self.max_input is None else self.max_input
        written = self.max_output if max_output is None else max_output
        return Amount(1, read + written, self._cost(read, written, 0))

    def used(self, worst: Amount, read: int | None, written: int | None, cached: int | None) -> Amount:
        """Return what an answer has used: the tokens it tells, or at least the worst case if it does not tell both
        numbers.
        """
        found = Amount(1, (read or 0) + (written or 0), self._cost(read or 0, written or 0, cached or 0))
        return found if read is not None and written is not None else found.high(worst)

    def _cost(self, read: int, written: int, cached: int) -> int:
        hits = min(cached, read)
        return (read - hits) * self.input_price + hits * self.cached_price + written * self.output_price
