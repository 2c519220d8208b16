"""Sessions and the turns they remember, bounded in number and age so that memory stays flat."""

import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable

from agenttop.agent.config import AgentConfig
from agenttop.agent.questions import Memory


class Session:
    """One conversation: the size of each remembered turn, and what the clerk keeps in mind. The texts are not kept."""

    __slots__ = ("id", "memory", "turn_tokens", "turns", "used_at")

    def __init__(self, session_id: str, max_turns: int, now: float) -> None:
        self.id = session_id
        self.turn_tokens: deque[int] = deque(maxlen=max_turns)
        self.turns = 0
        self.used_at = now
        self.memory = Memory()

    @property
    def context_tokens(self) -> int:
        """Return the tokens of the turns remembered: what every model call of the next turn reads again."""
        return sum(self.turn_tokens)

    def remember(self, tokens: int, memory: Memory) -> None:
        """Add a turn of `tokens`, question and answer together, and what is known after it."""
        self.memory = memory
        self.turns += 1
        self.turn_tokens.append(tokens)


class Sessions:
    """All sessions, least recently used first."""

    def __init__(self, config: AgentConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._max, self._ttl_s, self._max_turns = config.max_sessions, config.session_ttl, config.max_turns
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def create(self, session_id: str | None = None) -> Session:
        """Return a new session, with an id of its own unless given one."""
        now = self._clock()
        session = Session(session_id or f"sess_{uuid.uuid4().hex}", self._max_turns, now)
        self._sessions[session.id] = session
        self._expire(now)
        return session

    def get(self, session_id: str) -> Session | None:
        """Return the session, used now, or None when unknown or forgotten."""
        now = self._clock()
        self._expire(now)
        session = self._sessions.get(session_id)
        if session is not None:
            session.used_at = now
            self._sessions.move_to_end(session_id)
        return session

    def _expire(self, now: float) -> None:
        # The oldest are in front, so this looks at one more than it removes.
        while self._sessions:
            oldest = next(iter(self._sessions.values()))
            if len(self._sessions) <= self._max and now - oldest.used_at <= self._ttl_s:
                break
            del self._sessions[oldest.id]
