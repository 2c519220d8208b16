"""``agenttop quick URL``: what a target of which nothing is known holds, and why no more, in about sixty seconds."""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agenttop.cli.first import cleared
from agenttop.cli.hit import SAID, body_of, load_text, write_profile
from agenttop.cli.run import run_loaded
from agenttop.controller.preflight import unreachable
from agenttop.dialects import DIALECTS
from agenttop.exits import FAILED, USAGE, UsageError
from agenttop.metrics.safe_text import SafeText
from agenttop.profile.hidden import REFERENCE
from agenttop.profile.hit import Hit, HitError, HitProfile, hit_profile
from agenttop.profile.load import Loaded
from agenttop.profile.problems import Problem, ProfileError
from agenttop.profile.secrets import read_environment
from agenttop.profile.toml import dumps
from agenttop.quick.bound import LEAST_REQUESTS, LOOKS, Bound, plan, searched
from agenttop.quick.finding import Found, NotFoundError, Wanted
from agenttop.quick.look import one_user
from agenttop.quick.prober import Probed, probe
from agenttop.quick.words import Asked, render, says_how, says_of_one
from agenttop.view.pipes import say

_OPTIONS = {"pools[0].dialect": "--dialect", "target": "URL", "search.to": "--users", "budget.requests": "-n"}


def quick(options: argparse.Namespace) -> int:
    """State the bound, find how the target is asked, look at one user, search, and say what was found.

    Raises:
        UsageError: something the user can mend.
    """
    bound = Bound(options.users, options.requests, options.tokens, options.limit)
    _check(options, bound)
    messages = sys.stderr if options.out == "-" else sys.stdout
    body = body_of(options.body)
    try:
        environment = read_environment(Path.cwd(), None)
        base = hit_profile(_hit(options, options.url, body, ()), environment)
        known = {name: text for name, text in environment.items() if name not in SAID}
        loaded = load_text(base, known, options.set)
    except (HitError, OSError, UnicodeDecodeError) as error:
        raise UsageError(str(error)) from None
    except ProfileError as error:
        return _problems(error)
    safe = SafeText(loaded.secrets)
    cleared(options)
    say(f"agenttop quick {_shown(options.url)}: sends {bound.words}", messages)
    wanted = Wanted(options.url, options.dialect or "", options.model or "", body)
    try:
        probed = asyncio.run(_probed(loaded, wanted))
    except (NotFoundError, OSError) as error:
        print(f"agenttop: {safe(str(error), 1000)}", file=sys.stderr)
        return FAILED
    one = one_user(probed.looks)
    used = sum((look.input_tokens or 0) + (look.output_tokens or 0) for look in probed.looks)
    made = plan(probed.found, one, replace(bound.less(probed.asked, used), seconds=bound.seconds - probed.seconds))
    asked = Asked(options.url, bound, probed.found, one, made, _go_on(options, probed.found))
    say(f"  {safe(says_of_one(asked), 1000)}", messages)
    if one.why and all(look.why for look in probed.looks):
        print("agenttop: not even one user is answered, so no load is put on it", file=sys.stderr)
        return FAILED
    if not made.possible:
        raise UsageError(f"one request takes more than the bound has left: --tokens {options.tokens} is too small")
    try:
        profile = _profile(options, probed.found, asked, environment)
        loaded = load_text(profile, known, options.set)
    except (HitError, ValueError) as error:
        raise UsageError(str(error)) from None
    except ProfileError as error:
        return _problems(error)
    if options.write is not None:
        write_profile(options.write, _HEAD, profile)
    say(f"  {safe(says_how(asked), 1000)}", messages)
    options.limit = max(1.0, made.left.seconds)

    def tell(summary: dict[str, Any], color: bool, width: int) -> str:
        return render(asked, summary, color=color, width=width)

    return run_loaded(loaded, f"quick {loaded.profile.name}", options, tell=tell)


_HEAD = (
    "# What agenttop quick has found, as the search that it was. To go on: your own questions under\n"
    "# [[pools.tasks]], a higher to under [search], a larger [budget].\n"
)


def _check(options: argparse.Namespace, bound: Bound) -> None:
    """Refuse before anything is sent what cannot be done."""
    if urlsplit(options.url).scheme in ("ws", "wss"):
        raise UsageError("quick asks over HTTP; for a WebSocket say: agenttop hit URL -d MESSAGE --dialect D")
    if options.dialect is not None and options.dialect not in DIALECTS:
        raise UsageError(f"--dialect: expected one of {', '.join(DIALECTS)}")
    if options.dialect is not None and "http" not in DIALECTS[options.dialect].protocols:
        raise UsageError(f"--dialect {options.dialect}: is not spoken over HTTP; say: agenttop hit URL -d MESSAGE")
    if bound.requests < LEAST_REQUESTS:
        raise UsageError(f"-n {bound.requests}: the questions alone may be as many; at least {LEAST_REQUESTS}")
    if options.body is not None and options.model is not None:
        raise UsageError("--model goes without -d, whose body says it")
    if options.write is not None and os.path.lexists(options.write):
        raise UsageError(f"{options.write} is there already; name another file")
    if options.armed:
        raise UsageError("quick begins at once; --armed goes with --profile")


def _hit(options: argparse.Namespace, url: str, body: str | None, more: tuple[str, ...], dialect: str = "") -> Hit:
    there = {line.partition(":")[0].strip().lower() for line in options.header}
    headers = [*options.header, *(line for line in more if line.partition(":")[0].lower() not in there)]
    return Hit(url=url, users=1, body=body, headers=tuple(headers), dialect=dialect or options.dialect)


def _problems(error: ProfileError) -> int:
    for problem in error.problems:
        print(Problem("agenttop quick", _OPTIONS.get(problem.key, problem.key), problem.message), file=sys.stderr)
    return USAGE


async def _probed(loaded: Loaded, wanted: Wanted) -> Probed:
    if (problem := await unreachable(loaded.profile)) is not None:
        raise NotFoundError(problem)
    # Headers of a profile are templates without variables here: what was typed, its braces doubled.
    headers = {name: str(value).replace("{{", "{").replace("}}", "}") for name, value in loaded.profile.headers.items()}
    return await probe(loaded.profile, headers, wanted, LOOKS)


def _profile(options: argparse.Namespace, found: Found, asked: Asked, environment: dict[str, str]) -> HitProfile:
    """Return the profile of the search."""
    hit = _hit(options, found.ask.url, found.ask.body, found.ask.headers, found.dialect)
    written = hit_profile(hit, environment)
    return replace(written, text=dumps(searched(tomllib.loads(written.text), asked.made)))


def _go_on(options: argparse.Namespace, found: Found) -> str:
    """Return the command to go on with: that of the profile, or the one that writes it and sends nothing."""
    if options.write is not None:
        return f"agenttop capacity --profile {shlex.quote(options.write)}"
    # What was typed may hold a secret, and is known to whoever typed it.
    typed = options.body if options.body is not None and options.body.startswith("@") else "…"
    body = (found.ask.body or "") if options.body is None else typed
    words = ["agenttop", "hit", _shown(found.ask.url), "-d", body, "--dialect", found.dialect]
    for line in (*options.header, *found.ask.headers):
        name = line.partition(":")[0]
        open_ = line in found.ask.headers or REFERENCE.search(line)
        words += ["-H", line if open_ else f"{name}: …"]
    return " ".join([*map(shlex.quote, words), "--write", "agent.toml"])


def _shown(url: str) -> str:
    return url.partition("?")[0]
