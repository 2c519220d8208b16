"""Which requests can tell that their session is gone, and when one does.

A target that was restarted answers every request of a session from before with an error, for ever; real clients begin
another session then (of MCP that is a rule: "when a client receives HTTP 404 in response to a request containing an
MCP-Session-Id, it MUST start a new session").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from agenttop.metrics.outcome import Outcome
from agenttop.profile.model import Step
from agenttop.profile.template import Template
from agenttop.users.compiled import CompiledStep

#: What a target answers that does not know a session (RFC 9110, 15.5.5 and 15.5.11).
_GONE = (404, 410)
#: Headers that name no session: without them the answer would be 401.
CREDENTIALS = frozenset(
    ("authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-goog-api-key", "x-auth-token")
)
_TOLD = (Outcome.CLIENT_ERROR, Outcome.SERVER_ERROR, Outcome.STREAM_ERROR)


def within_session(steps: Iterable[CompiledStep], setup: Iterable[Step], *, own_ids: bool) -> tuple[CompiledStep, ...]:
    """Steps of tasks, with what they can tell of the session that ``setup`` began; ``own_ids``: the pool's users make
    ids of their own.
    """
    setup = tuple(setup)
    if not setup and not own_ids:
        return tuple(steps)
    names = {name for step in setup for name in step.save} | {"session_uuid"}
    return tuple(replace(step, begins_anew=True, names_session=not names.isdisjoint(_named(step))) for step in steps)


def is_forgotten(step: CompiledStep, outcome: Outcome, status: int, message: str, *, by_code: bool = False) -> bool:
    """Return whether an answer says that its session is not known any more: by 404 or 410 to a request that names it in
    its path, query or headers, by a code of its dialect (``by_code``), or in the words of its failure.
    """
    if not step.begins_anew or outcome not in _TOLD:
        return False
    return by_code or (step.names_session and status in _GONE) or step.dialect.forgets(message)


def _named(step: CompiledStep) -> set[str]:
    """The variables of a step's path, query and headers. Credentials are none of a session: without them the answer
    would be 401.
    """
    templates = [piece for piece in step.url if isinstance(piece, Template)]
    templates += [value for name, value in step.headers if name not in CREDENTIALS]
    return {name for template in templates for name in template.variables}
