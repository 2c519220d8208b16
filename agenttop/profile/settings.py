"""Reads ``AGENTTOP_*`` variables: what a user sets once for every run, over the profile and under the command line.

``AGENTTOP_TARGET``, ``AGENTTOP_WARMUP``, ``AGENTTOP_TLS__VERIFY`` … replace the profile's keys of that name;
``AGENTTOP_USERS``, ``AGENTTOP_SPAWN_RATE``, ``AGENTTOP_WORKERS`` and ``AGENTTOP_THEME`` are the options of that name.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from agenttop.profile.fields import wanted
from agenttop.profile.problems import Fault, translate
from agenttop.schedule.quantities import MAX_USERS, parse_duration

PREFIX = "AGENTTOP_"
#: Settings that are no keys of a profile.
OWN = frozenset({"workers", "users", "spawn_rate", "theme"})
#: Settings in parts, each with one of them as an example.
_TABLES = {"tls": "CA", "proxy": "URL"}


def _duration_text(value: str) -> str:
    try:
        parse_duration(value)
    except ValueError as error:
        text = "a duration is 366 days at most" if "too long" in str(error) else 'expected a duration such as "30s"'
        raise wanted(text) from None
    return value


DurationText = Annotated[str, AfterValidator(_duration_text)]


class _Nested(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TlsSettings(_Nested):
    """Variables ``AGENTTOP_TLS__*``."""

    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    verify: bool | None = None


class ProxySettings(_Nested):
    """Variables ``AGENTTOP_PROXY__*``."""

    url: str | None = None


class Settings(BaseSettings):
    """The user's defaults. What is not set is None, but for ``workers``."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    workers: Literal["auto"] | Annotated[int, Field(ge=1, le=256)] = "auto"
    """Processes that send load; auto: one per core but one."""
    users: Annotated[int, Field(ge=1, le=MAX_USERS)] | None = None
    """As ``--users``."""
    spawn_rate: Annotated[float, Field(gt=0, le=MAX_USERS, allow_inf_nan=False)] | None = None
    """As ``--spawn-rate``, users per second."""
    theme: Literal["dark", "light"] | None = None
    """As ``--theme``."""
    target: str | None = None
    seed: int | None = None
    warmup: DurationText | None = None
    graceful_stop: DurationText | None = None
    timeout: DurationText | None = None
    connect_timeout: DurationText | None = None
    first_byte_timeout: DurationText | None = None
    first_token_timeout: DurationText | None = None
    idle_timeout: DurationText | None = None
    dialect: str | None = None
    http_version: str | None = None
    follow_redirects: bool | None = None
    tls: TlsSettings | None = None
    proxy: ProxySettings | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments and the environment, into which the loader has merged the ``.env`` beside the profile."""
        return init_settings, env_settings

    def profile_keys(self) -> dict[str, Any]:
        """Return what was set of a profile's keys, as its tables have them."""
        return self.model_dump(exclude_unset=True, exclude_none=True, exclude=set(OWN))


class _Given(Settings):
    """Settings of a given mapping: what was read from it is all there is."""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *args: Any, **kwargs: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments alone."""
        return (init_settings,)


class SettingsProblem(Exception):
    """``AGENTTOP_*`` variables that cannot be used; the place of each fault is the variable's name."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.loc[0]}: {fault.message}" for fault in faults))
        self.faults = faults


def read_settings(env: Mapping[str, str] | None = None) -> Settings:
    """Return the settings of an environment, of this process's by default.

    Raises:
        SettingsProblem: a variable cannot be used; it lists all of them.
    """
    try:
        if env is None:
            return Settings()
        source = EnvSettingsSource(_Given)
        source.env_vars = {name.lower(): value for name, value in env.items()}
        return _Given(**source())
    except ValidationError as error:
        faults: dict[str, Fault] = {}  # of a union, every branch complains
        for fault in translate(error, {}, {}):
            # What follows the name of a setting that is no table of ours is a branch of its union.
            nested = fault.loc[0] in _TABLES
            name = variable(fault.loc if nested else fault.loc[:1])
            message = 'expected a whole number, or "auto"' if name == "AGENTTOP_WORKERS" else fault.message
            if nested and len(fault.loc) == 1:
                message = f"set its parts, such as {name}__{_TABLES[str(fault.loc[0])]}"
            faults.setdefault(name, Fault((name,), message))
        raise SettingsProblem(list(faults.values())) from None
    except SettingsError as error:
        raise SettingsProblem([Fault((PREFIX + "*",), str(error))]) from None


def variable(loc: tuple[str | int, ...]) -> str:
    """Return the name of the variable that sets a key."""
    return PREFIX + "__".join(str(part).upper() for part in loc)


def unknown_variables(env: Mapping[str, str]) -> list[str]:
    """Return one sentence for every ``AGENTTOP_*`` variable that sets nothing."""
    known = {variable((name,)) for name in Settings.model_fields}
    sentences = []
    for name in sorted(env):
        upper = name.upper()
        if upper.startswith(PREFIX) and upper.partition("__")[0] not in known:
            close = difflib.get_close_matches(upper, known, n=1, cutoff=0.75)
            sentences.append(f"{name} is set, and sets nothing" + (f"; did you mean {close[0]}?" if close else ""))
    return sentences
