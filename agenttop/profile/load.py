"""Loads a profile from its file: reads, overrides, fills, checks and resolves it."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agenttop.profile.budget import budget_warnings
from agenttop.profile.cautions import step_warnings
from agenttop.profile.certificates import absolute_paths, check_files
from agenttop.profile.data import DataFiles, check_data
from agenttop.profile.gate import check_gate
from agenttop.profile.live_keys import live_keys
from agenttop.profile.model import Measure, Pool, Profile
from agenttop.profile.normalise import Normaliser, Table
from agenttop.profile.numbers import TOO_LARGE, check_numbers
from agenttop.profile.overrides import OverrideError, apply, check_users, deep_update, parse_set, stages_for
from agenttop.profile.problems import (
    Fault,
    Loc,
    Problem,
    ProfileError,
    file_loc,
    key_text,
    translate,
    value_at,
)
from agenttop.profile.proxies import proxy_warnings
from agenttop.profile.python import check_scripts
from agenttop.profile.quality import QualityFiles, check_quality
from agenttop.profile.rules import check_rules
from agenttop.profile.search import Capacity, derive, resolved
from agenttop.profile.secrets import Filler, read_environment, redact
from agenttop.profile.settings import Settings, SettingsProblem, read_settings, unknown_variables, variable
from agenttop.profile.template import plain_text
from agenttop.profile.thresholds import check_thresholds
from agenttop.schedule.quantities import format_duration

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_DURATIONS = ("warmup", "graceful_stop", "timeout", "connect_timeout")


@dataclass(frozen=True)
class Loaded:
    """A profile ready to run."""

    profile: Profile = field(repr=False)
    """Resolved: short forms written out, each pool with its target, dialect and measure."""
    masked: dict[str, Any] = field(repr=False)
    """The profile as the user wrote it, with the most important defaults, ready for JSON; secrets are ``***``."""
    secrets: tuple[str, ...] = field(repr=False)
    """Every value that came from the environment, longest first: for :func:`agenttop.profile.secrets.redact`."""
    sha256: str
    """Hash of the file's bytes, in hexadecimal."""
    path: Path
    warnings: tuple[str, ...] = ()
    """Warnings about what runs, but may not be what was meant."""
    settings: Settings = field(default_factory=Settings, repr=False)
    """The user's defaults that are no keys of a profile, ``workers`` among them."""
    live_keys: tuple[tuple[str, str], ...] = ()
    """Variables that look like keys of public providers, with the provider."""
    references: tuple[tuple[Loc, str], ...] = ()
    """Where ``${NAME}`` was written, and the text around it, without its value."""
    counts: tuple[str, ...] = ()
    """What there is to grade, a line each: cases, slices, graders, calls of a judge."""


class _Loading:
    """Loads one file and collects what is wrong."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self.origins: dict[Loc, tuple[str, str]] = {}
        """Origin of a value that is not the file's: place to (file, key) as problems name them."""

    def add(self, fault: Fault) -> None:
        """Keep one fault, named for where its value was written; one per place, the first."""
        file, key = str(self.path), key_text(fault.loc)
        for length in range(len(fault.loc), 0, -1):
            if fault.loc[:length] in self.origins:
                file, key = self.origins[fault.loc[:length]]
                break
        if not any(problem.file == file and problem.key == key and key for problem in self.problems):
            self.problems.append(Problem(file, key, fault.message))

    def stop_if_wrong(self, secrets: Sequence[str] = ()) -> None:
        """Raise what was found, if anything was."""
        if self.problems:
            raise ProfileError(
                [
                    Problem(p.file, p.key, redact(p.message, [s for s in secrets if len(s) >= 4]), p.line, p.column)
                    for p in self.problems
                ]
            )


def load_profile(
    path: str | Path,
    *,
    overrides: Sequence[str] = (),
    target: str | None = None,
    users: int | None = None,
    spawn_rate: float | None = None,
    run_for: float | None = None,
    capacity: Capacity | None = None,
    env: Mapping[str, str] | None = None,
) -> Loaded:
    """Load a profile file.

    Over the file stand ``AGENTTOP_*`` variables, over them ``overrides`` (``--set KEY=VALUE``), ``target``, and
    ``users`` with ``spawn_rate`` (users per second). These two replace the run's stages; the users are held until
    ``run_for`` seconds from the start, else for a day. ``capacity`` makes a search of the profile. ``env`` stands for
    the process's environment.

    Raises:
        ProfileError: it cannot be run; lists every problem found.
    """
    loading = _Loading(Path(path))
    raw, digest = _read(loading)
    folder = loading.path.resolve().parent
    environment = _environment(loading, folder, env)
    settings = _settings(loading, environment)
    users = users if users is not None else settings.users
    spawn_rate = spawn_rate if spawn_rate is not None else settings.spawn_rate
    _override(loading, raw, settings, overrides, target)
    _replace_stages(loading, raw, users, spawn_rate, run_for)
    too_large = list(check_numbers(raw))
    for fault in too_large:
        loading.add(fault)
    if too_large:
        loading.stop_if_wrong()  # nothing after this could compute with them

    filler = Filler(environment)
    raw, masked = filler.fill(raw)
    for fault in filler.faults:
        loading.add(fault)
    said: list[str] = []
    if capacity is not None:
        faults, said = derive(raw, masked, capacity)
        loading.problems += [Problem("command line", str(fault.loc[0]), fault.message) for fault in faults]
    if "tls" in raw:
        raw["tls"] = absolute_paths(raw["tls"], folder)
    secrets = tuple(sorted(filler.secrets, key=lambda secret: (-len(secret), secret)))
    profile, files, quality = _check(loading, raw, masked)
    loading.stop_if_wrong(secrets)
    assert profile is not None  # every way to None has left a problem
    profile = quality.resolve(_resolve(profile, loading.path, files), secrets)
    warnings = (
        *said,
        *_warnings(profile),
        *budget_warnings(profile),
        *files.warnings,
        *quality.warnings,
        *proxy_warnings(profile, environment),
        *(redact(text, secrets) for text in unknown_variables(environment)),
    )
    keys = live_keys(filler.used)
    written, references = _written(masked, profile), tuple(filler.references)
    counts = tuple(quality.counts())
    return Loaded(profile, written, secrets, digest, loading.path, warnings, settings, keys, references, counts)


def _read(loading: _Loading) -> tuple[Table, str]:
    path, file = loading.path, str(loading.path)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ProfileError(
            [Problem(file, "", "there is no such file; agenttop init writes one to start from")]
        ) from None
    except IsADirectoryError:
        raise ProfileError([Problem(file, "", "this is a directory, not a profile")]) from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it cannot be a path"
        raise ProfileError([Problem(file, "", f"this file cannot be read: {reason}")]) from None
    try:
        return tomllib.loads(data.decode("utf-8-sig")), hashlib.sha256(data).hexdigest()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problem = Problem(file, "", "this file is not UTF-8 text", line)
    except tomllib.TOMLDecodeError as error:
        problem = _toml_problem(file, str(error), data)
    except RecursionError:
        problem = Problem(file, "", "its tables are nested too deep")
    except ValueError:  # more digits than Python reads
        problem = Problem(file, "", TOO_LARGE)
    raise ProfileError([problem]) from None


def _toml_problem(file: str, text: str, data: bytes) -> Problem:
    match = _TOML_PLACE.search(text)
    line = column = None
    if match and match[1]:
        line, column = int(match[1]), int(match[2])
    elif match:
        line = data.count(b"\n") + 1
    message = text[: match.start()] if match else text
    if match and not match[1]:
        message += " at the end of the file"
    return Problem(file, "", f"not TOML: {message[:1].lower()}{message[1:]}", line, column)


def _environment(loading: _Loading, folder: Path, env: Mapping[str, str] | None) -> dict[str, str]:
    try:
        return read_environment(folder, env)
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "it is not UTF-8 text"
        raise ProfileError([Problem(str(folder / ".env"), "", f"this file cannot be read: {reason}")]) from None


def _settings(loading: _Loading, environment: Mapping[str, str]) -> Settings:
    try:
        return read_settings(environment)
    except SettingsProblem as error:
        loading.problems += [Problem("environment", str(fault.loc[0]), fault.message) for fault in error.faults]
        return read_settings({})


def _override(loading: _Loading, raw: Table, settings: Settings, overrides: Sequence[str], target: str | None) -> None:
    for loc in deep_update(raw, settings.profile_keys()):
        loading.origins[loc] = ("environment", variable(loc))
    for text in overrides:
        key = f"--set {text.partition('=')[0]}"
        try:
            parts, value = parse_set(text)
            loading.origins[apply(raw, parts, value)] = ("command line", key)
        except OverrideError as error:
            loading.problems.append(Problem("command line", key, str(error)))
    if target is not None:
        raw["target"] = target
        loading.origins[("target",)] = ("command line", "--target")


def _replace_stages(
    loading: _Loading, raw: Table, users: int | None, spawn_rate: float | None, run_for: float | None
) -> None:
    faults = check_users(users, spawn_rate)
    loading.problems += [Problem("command line", str(fault.loc[0]), fault.message) for fault in faults]
    if users is None or faults:
        return
    pools = raw.get("pools")
    if isinstance(pools, list) and pools and all(isinstance(pool, dict) and pool.get("stages") for pool in pools):
        text = "every pool of this profile has stages of its own, so that there are no stages of the run to replace"
        loading.problems.append(Problem("command line", "--users", text))
        return
    raw.pop("users", None)
    raw.pop("duration", None)
    raw["stages"] = stages_for(users, spawn_rate, run_for)
    loading.origins[("stages",)] = ("command line", "--users")


def _check(loading: _Loading, raw: Table, masked: Table) -> tuple[Profile | None, DataFiles, QualityFiles]:
    """Return the model of the file, or None with every fault collected, and the files of data and cases it names."""
    normaliser = Normaliser()
    data = normaliser.profile(raw, masked)
    for fault in normaliser.faults:
        loading.add(fault)
    profile = None
    try:
        profile = Profile.model_validate(data, context={"file": True})
    except ValidationError as error:
        for fault in translate(error, raw, masked):
            loading.add(fault)
    files = check_data(data, masked, loading.path)
    for fault in files.faults:
        loading.add(fault)
    loading.problems += files.problems
    scripts = check_scripts(data, masked, loading.path)
    for fault in scripts.faults:
        loading.add(fault)
    loading.problems += scripts.problems
    quality = check_quality(data, masked, loading.path)
    for fault in quality.faults:
        loading.add(_visible(Fault(file_loc(fault.loc, raw), fault.message), raw, masked))
    loading.problems += quality.problems
    for fault in check_rules(data, raw, {**files.columns, **quality.columns}):
        loading.add(_visible(Fault(file_loc(fault.loc, raw), fault.message), raw, masked))
    profile = scripts.resolve(profile) if profile is not None else None
    for fault in check_thresholds(profile) if profile is not None and scripts.sound else ():
        loading.add(_visible(Fault(file_loc(fault.loc, raw), fault.message), raw, masked))
    for fault in check_gate(profile, quality.slices, loading.path) if profile is not None and scripts.sound else ():
        loading.add(_visible(fault, raw, masked))
    for fault in check_files(raw.get("tls"), masked.get("tls")):
        loading.add(fault)
    return profile, files, quality


def _visible(fault: Fault, raw: Table, masked: Table) -> Fault:
    """Return the fault, without a column if the text it counts in is not the one in the file."""
    if value_at(raw, fault.loc) == value_at(masked, fault.loc):
        return fault
    return Fault(fault.loc, re.sub(r" \(at column \d+\)", "", fault.message))


def _resolve(profile: Profile, path: Path, files: DataFiles) -> Profile:
    folder = path.resolve().parent
    pools = [files.resolve(_resolve_pool(pool, profile), folder) for pool in profile.pools]
    return resolved(profile.model_copy(update={"pools": pools, "name": profile.name or path.stem}))


def _resolve_pool(pool: Pool, profile: Profile) -> Pool:
    measure = profile.measure
    if pool.measure is not None:
        own = pool.measure.model_dump(exclude_none=True, exclude_defaults=True)
        measure = Measure.model_validate(profile.measure.model_dump() | own)
    update = {
        "target": pool.target or profile.target,
        "dialect": pool.dialect or profile.dialect,
        "measure": measure,
    }
    return pool.model_copy(update=update)


def _written(masked: Table, profile: Profile) -> dict[str, Any]:
    """Return the profile as a user would write it in full."""
    written = {"name": masked.get("name") or profile.name, "target": masked["target"], "seed": masked.get("seed", 0)}
    written |= {key: masked.get(key, format_duration(getattr(profile, key))) for key in _DURATIONS}
    written["dialect"] = masked.get("dialect", profile.dialect)
    written["http_version"] = masked.get("http_version", profile.http_version)
    written |= masked
    if "stages" not in written and profile.stages and profile.search is None:
        written["stages"] = [
            {"duration": masked["duration"], "users": masked["users"], "ramp": "step"},
        ]
    result: dict[str, Any] = _jsonable(written)
    return result


def _jsonable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    return value if isinstance(value, str | bool | int | float) or value is None else plain_text(value)


def _warnings(profile: Profile) -> list[str]:
    warnings = []
    if not profile.tls.verify:
        warnings.append("tls.verify is false: the target's certificate is not checked")
    if profile.stages and all(pool.stages for pool in profile.pools):
        warnings.append("the stages of the run drive no pool: every pool has stages of its own")
    warnings += step_warnings(profile)
    return warnings
