"""``python -m agenttop.fleet``: runs the run that is described on standard input, on the boxes of its fleet.

As ``agenttop.controller``, but for lines that come before ``ready``: ``refused: `` and why, where there are not enough
boxes.
"""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import replace

import uvloop

from agenttop.controller.controller import Controller
from agenttop.controller.intake import MAX_WARNING
from agenttop.controller.launch import REFUSED
from agenttop.controller.spec import RunSpec
from agenttop.exits import USAGE
from agenttop.fleet.box import FleetBox
from agenttop.fleet.forming import Fleet, TooFewError, form
from agenttop.metrics.safe_text import SafeStream, SafeText
from agenttop.worker.files import short_on_boxes


def with_boxes(spec: RunSpec, fleet: Fleet) -> RunSpec:
    """Return a run as it is with the boxes that are there."""
    infos = tuple(link.info for link in fleet.links)
    workers = sum(info.count for info in infos)
    safe = SafeText(spec.secrets)
    left_out = tuple(f"box left out: {safe(line, MAX_WARNING)}" for line in fleet.left_out)
    short = short_on_boxes(spec.profile, workers, {info.name: info.file_limit for info in infos})
    return replace(spec, boxes=infos, workers=workers, warnings=(*spec.warnings, *left_out, *short))


async def run(spec: RunSpec) -> int:
    """Run it; return its exit code."""
    assert spec.fleet is not None
    try:
        fleet = await form(spec.fleet, spec.run_id)
    except TooFewError as error:
        safe = SafeText(spec.secrets)
        for line in error.lines:
            print(f"{REFUSED}{safe(line, MAX_WARNING)}", flush=True)
        return USAGE
    try:
        return await Controller(with_boxes(spec, fleet), FleetBox(fleet.links)).run()
    finally:
        await fleet.close()


def main() -> int:
    """Run it; return its exit code."""
    spec: RunSpec = pickle.load(sys.stdin.buffer)
    sys.stderr = SafeStream(sys.stderr, SafeText(spec.secrets))
    code = uvloop.run(run(spec))
    sys.stderr.flush()
    # Threads of Dask are not waited for.
    os._exit(code)


if __name__ == "__main__":
    main()
