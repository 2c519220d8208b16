"""What an agent of Google's kit says: the last model's answer that has text, which the kit calls the final response.

An answer that came in pieces comes once more, whole. Of the calls of functions, those of the kit's own are left out.
"""

from __future__ import annotations

from typing import Any

from agenttop.dialects.heard import Call, Heard, Said, call_of, decoded, objects, part, text_of

#: Function calls with which the kit itself asks the user for something.
_ASKS = "adk_request_"


class AdkHeard(Heard):
    """One invocation."""

    __slots__ = ("_answers", "_calls", "_finish", "_pieces")

    def __init__(self) -> None:
        super().__init__()
        self._pieces: dict[tuple[str, str], list[str]] = {}
        """Of answers that are not whole yet, by author and branch."""
        self._answers: list[list[str]] = []
        self._calls: dict[str, Call] = {}
        self._finish = ""

    def take(self, value: dict[str, Any], event: bytes) -> None:
        content = value.get("content")
        parts = objects(part(content, "parts"))
        if value.get("author") == "user" or part(content, "role") not in ("model", None):
            return
        self._finish = _either(value, "finishReason", "finish_reason") or self._finish
        texts = [text_of(each.get("text")) for each in parts if not each.get("thought")]
        key = (str(value.get("author")), str(value.get("branch")))
        if value.get("partial") is True:
            pieces = self._pieces.get(key)
            if pieces is None:
                pieces = self._pieces[key] = []
                self._answers.append(pieces)
            for text in texts:
                self.add(pieces, text)
            return
        whole = "".join(texts)
        pieces = self._pieces.pop(key, None)
        if pieces is None and whole:
            pieces = []
            self._answers.append(pieces)
        if pieces is not None and whole and whole != "".join(pieces):
            pieces.clear()
            self.add(pieces, whole)
        for each in parts:
            call = each.get("functionCall") or each.get("function_call")
            if isinstance(call, dict) and not text_of(call.get("name")).startswith(_ASKS):
                self.spend(call)
                if not self.full:
                    identity = str(call.get("id") if call.get("id") is not None else len(self._calls))
                    self._calls[identity] = call_of(call.get("name"), call.get("args"))

    def body(self, data: bytes) -> None:
        for value in objects(decoded(data)):
            self.take(value, b"")

    def said(self) -> Said:
        texts = ("".join(pieces) for pieces in reversed(self._answers))
        return Said(next(filter(None, texts), ""), tuple(self._calls.values()), self._finish or None, self.full)


def _either(value: dict[str, Any], camel: str, snake: str) -> str:
    return text_of(value.get(camel)) or text_of(value.get(snake))
