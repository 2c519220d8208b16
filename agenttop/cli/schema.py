"""``agenttop schema``: prints the JSON Schema of profiles or of summaries."""

from __future__ import annotations

import json

from agenttop.exits import DONE


def print_schema(what: str) -> int:
    """Print the schema of a ``profile`` or a ``summary``, and return the exit code."""
    if what == "profile":
        from agenttop.profile.schema import profile_schema

        schema = profile_schema()
    else:
        from agenttop.report.summary import summary_schema

        schema = summary_schema()
    print(json.dumps(schema, indent=2, ensure_ascii=False))
    return DONE
