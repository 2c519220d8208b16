"""``agenttop hit URL``: loads one URL without a profile, or writes a profile to go on from."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from agenttop.cli.run import run_loaded
from agenttop.exits import DONE, USAGE, UsageError
from agenttop.profile.hit import Hit, HitError, HitProfile, hit_profile
from agenttop.profile.load import Loaded, load_profile
from agenttop.profile.problems import Problem, ProfileError
from agenttop.profile.secrets import read_environment

#: Settings that what stands on the command line goes before.
SAID = ("AGENTTOP_TARGET", "AGENTTOP_USERS", "AGENTTOP_SPAWN_RATE")

#: Keys of the profile by the option that they come from.
_OPTIONS = {
    "pools[0].dialect": "--dialect",
    "users": "-c",
    "pools[0].max_users": "-c",
    "budget.requests": "-n",
    "target": "URL",
}


def hit(options: argparse.Namespace) -> int:
    """Run it, or write it as a profile; return the exit code.

    Raises:
        UsageError: something the user can mend.
    """
    asked = Hit(
        url=options.url,
        users=options.users,
        duration_s=options.duration,
        requests=options.requests,
        rate=options.rate,
        method=options.method,
        body=body_of(options.body),
        headers=tuple(options.header),
        dialect=options.dialect,
    )
    try:
        environment = read_environment(Path.cwd(), None)
        profile = hit_profile(asked, environment)
        loaded = load_text(profile, {name: text for name, text in environment.items() if name not in SAID}, options.set)
    except (HitError, OSError, UnicodeDecodeError) as error:
        raise UsageError(str(error)) from None
    except ProfileError as error:
        for problem in error.problems:
            print(Problem("agenttop hit", _OPTIONS.get(problem.key, problem.key), problem.message), file=sys.stderr)
        return USAGE
    if options.write is not None:
        return _write(options.write, profile, options.set)
    return run_loaded(loaded, f"hit {loaded.profile.name}", options)


def load_text(profile: HitProfile, environment: dict[str, str], overrides: list[str]) -> Loaded:
    """Load the profile that was written, with what was taken out of it.

    Raises:
        ProfileError: it cannot be run.
    """
    with tempfile.TemporaryDirectory(prefix="agenttop-") as folder:
        path = Path(folder) / "hit.toml"
        path.write_text(profile.text, encoding="utf-8")
        return load_profile(path, overrides=overrides, env=environment | dict(profile.hidden))


def body_of(text: str | None) -> str | None:
    """Return the text itself, or that of ``@FILE``."""
    if text is None or not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"-d {text}: it is not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"-d {text}: {error.strerror}") from None


def _write(name: str, profile: HitProfile, overrides: list[str]) -> int:
    if overrides:
        raise UsageError("--set goes with a run; write the keys into the file")
    head = "# What agenttop hit was asked for. More can be said here: agenttop init writes a commented profile.\n"
    write_profile(name, head, profile)
    print(f"{name} written; look through it, then: agenttop --profile {name}")
    return DONE


def write_profile(name: str, head: str, profile: HitProfile) -> None:
    """Write a profile into a new file, below lines of comment, and say which secrets are not in it.

    Raises:
        UsageError: it is there already, or cannot be written.
    """
    notes = "".join(f"# {text}, in the environment or in .env beside this file.\n" for text in profile.shown)
    try:
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{head}{notes}\n{profile.text}")
    except FileExistsError:
        raise UsageError(f"{name} is there already; name another file") from None
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from None
    for text in profile.shown:
        print(f"agenttop: {text}", file=sys.stderr)
