"""The dialects whose clients send the conversation along, by name. The others' servers keep it themselves."""

from __future__ import annotations

from collections.abc import Callable

from agenttop.dialects.base import Dialect, Reader
from agenttop.dialects.transcript import Listening, Transcript
from agenttop.dialects.transcript_ag_ui import AgUiTranscript, HeardAgUi
from agenttop.dialects.transcript_chat import ChatTranscript, HeardChat
from agenttop.dialects.transcript_messages import HeardMessages, MessagesTranscript
from agenttop.dialects.transcript_responses import HeardResponses, ResponsesTranscript

TRANSCRIPTS: dict[str, tuple[type[Transcript], Callable[[], Listening]]] = {
    "openai.chat": (ChatTranscript, HeardChat),
    "openai.responses": (ResponsesTranscript, HeardResponses),
    "anthropic.messages": (MessagesTranscript, HeardMessages),
    "ag-ui": (AgUiTranscript, HeardAgUi),
}


class Transcribed:
    """A dialect whose readers keep what they are told."""

    def __init__(self, dialect: Dialect) -> None:
        self.name = dialect.name
        self.terminal = dialect.terminal
        self.reads_body = dialect.reads_body
        self._reader = TRANSCRIPTS[dialect.name][1]

    def reader(self) -> Reader:
        """A fresh reader that listens."""
        return self._reader()
