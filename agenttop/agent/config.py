"""The configuration of the embedded agent: one frozen object, from a preset, a TOML file and flags, in that order."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")


class ConfigError(ValueError):
    """The configuration cannot be used; the message is one line naming its source, the key and what is allowed."""


def _seconds(value: object) -> object:
    """Return a duration string (`250ms`, `1m30s`) as seconds; numbers are seconds already.

    Raises ValueError for a string that is neither.
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if _DURATION.fullmatch(text):
        return sum(float(number) * _UNIT_S[unit] for number, unit in _DURATION_PART.findall(text))
    try:
        return float(text)
    except ValueError:
        raise ValueError("should be a duration such as 250ms, 2s or 1m30s, or a number of seconds") from None


def _share(value: object) -> object:
    """Return a share of 1: `0.05`, or `5%`. Raises ValueError for other strings."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise ValueError("should be a share such as 0.05 or 5%") from None


Seconds = Annotated[float, BeforeValidator(_seconds), Field(ge=0, le=3600, allow_inf_nan=False)]
Share = Annotated[float, BeforeValidator(_share), Field(ge=0, le=1, allow_inf_nan=False)]


class AgentConfig(BaseModel):
    """Every setting of the agent. Times are seconds and medians of log-normal distributions; 0 means instantly."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(7, ge=0, le=2**63 - 1, description="same seed, same choices for the same request number")
    model: str = Field("agenttop-demo", min_length=1, description="model name told when a request names none")
    unknown_sessions: Literal["create", "reject"] = Field(
        "create", description="a message to an unknown session: create the session, or answer 404"
    )

    context_load: Seconds = Field(0.02, description="median time to load a session's context")
    first_token: Seconds = Field(0.16, description="median time of a model call up to its first token")
    tokens_per_second: float = Field(
        200.0,
        ge=0,
        le=1_000_000,
        allow_inf_nan=False,
        description="speed of the tokens after the first; 0: all at once",
    )
    output_tokens: int = Field(44, ge=1, le=100_000, description="median length of an answer, in tokens")
    tool_time: Seconds = Field(0.08, description="median time of one tool")
    spread: float = Field(
        0.35,
        ge=0,
        le=3,
        allow_inf_nan=False,
        description="sigma of the log-normal times and lengths; 0: always the median",
    )
    slots: int = Field(10, ge=0, le=1_000_000, description="model calls at once, the rest queue; 0: no limit")

    requests_per_minute: int = Field(1260, ge=0, le=10**12, description="per API key; 0: no limit")
    tokens_per_minute: int = Field(
        2_000_000, ge=0, le=10**12, description="input and output tokens per API key; 0: no limit"
    )
    burst: Annotated[Seconds, Field(gt=0)] = Field(
        1.5, description="how much of the limits may be used at once, as the time it takes to refill"
    )

    server_errors: Share = Field(0.007, description="share of answers that fail with 500")
    cut_streams: Share = Field(0.005, description="share of streams whose connection is dropped before their end")
    buffered_streams: Share = Field(0.0, description="share of streams of which nothing is sent before their end")
    degrade: Share = Field(
        0.0,
        description="share of answers that get worse where all slots are taken as their request comes; a third each "
        "skips its tool, is cut after a few words, mixes its order up (without a tool, only the cut is left)",
        json_schema_extra={"bare": "40%"},
    )
    wrong: Share = Field(0.0, description="share of answers that are wrong, however busy the agent is")
    slow_tools: Share = Field(0.02, description="share of tool runs that are slow")
    slow_tool_time: Seconds = Field(2.0, description="time of a slow tool run")

    max_sessions: int = Field(10_000, ge=1, le=10_000_000, description="sessions remembered; the least recent go first")
    session_ttl: Annotated[Seconds, Field(gt=0)] = Field(900.0, description="an unused session is forgotten after this")
    max_turns: int = Field(20, ge=0, le=10_000, description="turns a session remembers")

    @model_validator(mode="after")
    def _degrades_at_some_load(self) -> Self:
        if self.degrade and not self.slots:
            raise ValueError(
                "degrade: without slots none is ever taken; set slots to the model calls there are at once"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _no_booleans(cls, data: object) -> object:
        # Without this, `slots = true` would quietly mean 1.
        if isinstance(data, dict):
            for key, value in data.items():
                if isinstance(value, bool):
                    raise ValueError(f"{key}: should not be true or false")
        return data


# What a preset changes; keys given beside it win.
PRESETS: dict[str, dict[str, object]] = {
    "demo": {},
    "quiet": {
        "context_load": 0.0,
        "first_token": 0.0,
        "tokens_per_second": 0.0,
        "tool_time": 0.0,
        "slots": 0,
        "requests_per_minute": 0,
        "tokens_per_minute": 0,
        "server_errors": 0.0,
        "cut_streams": 0.0,
        "slow_tools": 0.0,
    },
}


def _problem(error: Any) -> str:
    """Return one of pydantic's errors as `key: what is wrong and what is allowed`."""
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, [*AgentConfig.model_fields, "preset"], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: preset, {', '.join(AgentConfig.model_fields)}"
        return f"{key}: unknown key; {hint}"
    message = str(error["msg"]).removeprefix("Value error, ")
    if not key:
        return message
    return f"{key}: {message[:1].lower()}{message[1:]}, not {_shown(error['input'])}"


def _shown(value: object) -> str:
    """Return a value for the end of a message; a number of a thousand digits is no help to anybody."""
    if isinstance(value, int) and abs(value) >= 10**60:
        return "a number of more than 60 digits"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}…{text[-1]}"


def build_config(values: Mapping[str, object], source: str = "configuration") -> AgentConfig:
    """Return the configuration made of a preset (key `preset`, default `demo`) and the keys given.

    Raises ConfigError, naming `source` and every key that is wrong.
    """
    keys = dict(values)
    preset = keys.pop("preset", "demo")
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ConfigError(f"{source}: preset: should be one of {', '.join(PRESETS)}, not {preset!r}")
    try:
        return AgentConfig.model_validate({**PRESETS[preset], **keys})
    except ValidationError as error:
        problems = "; ".join(_problem(entry) for entry in error.errors(include_url=False))
        raise ConfigError(f"{source}: {problems}") from None


def load_config(file: Path | None, overrides: Mapping[str, object]) -> AgentConfig:
    """Return the configuration of a TOML file with `overrides` (keys as in the file) laid over it.

    Raises ConfigError for a file that cannot be read or parsed, and for wrong keys in it or in `overrides`.
    """
    values: dict[str, object] = {}
    if file is not None:
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            reason = error.strerror or "not readable"
            raise ConfigError(f"{file}: {reason}; give --config the path of a TOML file") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{file}: not valid TOML: {error}") from None
        except (ValueError, RecursionError):  # a number of more digits than Python reads, tables within tables
            raise ConfigError(f"{file}: holds a number that is too large, or is nested too deep") from None
        build_config(values, str(file))  # so that a mistake in the file is blamed on the file
    return build_config({**values, **overrides}, "command line")
