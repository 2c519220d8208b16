"""What stays with its origin (scheme, host and port; RFC 6454) when a redirect leads to another one.

Not a list of names decides, but where a value came from: what holds a secret of the run, in whichever spelling, is for
the target that it was given for. So is what is a credential by its name, and what was filled in with a value of an
earlier answer, of a row of data or of a user's own code, of which nobody knows what it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from agenttop.metrics.safe_text import SafeText
from agenttop.profile.template import BUILT_IN, Template
from agenttop.users.trace import TRACEPARENT

_CREDENTIALS = re.compile(r"auth|cookie|key|token|secret|passw|credential|signature|session")
#: Headers that say how something is to be read, whoever filled them in.
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "content-type", "user-agent"})
_MADE = BUILT_IN | {TRACEPARENT}


def may_leave(name: str, value: Template, variables: Mapping[str, str], safe: SafeText) -> bool:
    """Whether a header (its name in lower case) may go to another origin."""
    if _CREDENTIALS.search(name) or (name not in _HARMLESS and not value.variables <= _MADE):
        return False
    return not safe.holds(value.fill(variables).decode("latin-1"), short=True)


def body_may_leave(body: bytes, safe: SafeText) -> bool:
    """Whether a body may."""
    return not safe.holds(body.decode("utf-8", "replace"))
