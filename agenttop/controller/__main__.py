"""``python -m agenttop.controller``: runs the run that is described on standard input."""

from __future__ import annotations

import pickle
import sys

import uvloop

from agenttop.controller.controller import Controller
from agenttop.controller.spec import RunSpec
from agenttop.metrics.safe_text import SafeStream, SafeText


def main() -> int:
    """Run it; return its exit code."""
    spec: RunSpec = pickle.load(sys.stdin.buffer)
    sys.stderr = SafeStream(sys.stderr, SafeText(spec.secrets))
    return uvloop.run(Controller(spec).run())


if __name__ == "__main__":
    sys.exit(main())
