from pathlib import Path

import pytest

from agenttop.agent.config import AgentConfig, ConfigError, build_config, load_config


def test_a_flag_wins_over_the_file_and_the_file_over_the_preset(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text('preset = "quiet"\nslots = 4\nfirst_token = "250ms"\nserver_errors = "2%"\n')
    config = load_config(file, {"slots": "5"})
    assert (config.slots, config.first_token, config.server_errors) == (5, 0.25, 0.02)
    assert (config.context_load, config.requests_per_minute) == (0, 0)


def test_no_file_and_no_flags_are_the_defaults() -> None:
    assert load_config(None, {}) == AgentConfig.model_validate({})


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("2s", 2.0), ("1m30s", 90.0), ("1h", 3600.0), (1.5, 1.5), ("0.5", 0.5)]
)
def test_durations(text: object, seconds: float) -> None:
    assert build_config({"tool_time": text}).tool_time == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"slotz": 3}, "here: slotz: unknown key; did you mean 'slots'?"),
        ({"slots": -1}, "slots: input should be greater than or equal to 0, not -1"),
        ({"slots": True}, "slots: should not be true or false"),
        ({"server_errors": 1.5}, "server_errors: input should be less than or equal to 1, not 1.5"),
        ({"cut_streams": "many"}, "cut_streams: should be a share such as 0.05 or 5%, not 'many'"),
        ({"tool_time": "soon"}, "tool_time: should be a duration such as 250ms, 2s or 1m30s, or a number of seconds"),
        ({"tool_time": float("nan")}, "tool_time"),
        ({"burst": 0}, "burst: input should be greater than 0, not 0"),
        ({"unknown_sessions": "maybe"}, "unknown_sessions: input should be 'create' or 'reject', not 'maybe'"),
        ({"degrade": "half"}, "degrade: should be a share such as 0.05 or 5%, not 'half'"),
        (
            {"degrade": "40%", "slots": 0},
            "here: degrade: without slots none is ever taken; set slots to the model calls",
        ),
        ({"preset": "loud"}, "preset: should be one of demo, quiet, not 'loud'"),
    ],
)
def test_a_mistake_names_the_key_and_what_is_allowed(values: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config(values, "here")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistake_in_a_file_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    with pytest.raises(ConfigError, match=r"agent\.toml: No such file"):
        load_config(file, {})
    file.write_text("slots = ")
    with pytest.raises(ConfigError, match=r"agent\.toml: not valid TOML"):
        load_config(file, {})
    file.write_text("slots = -2")
    with pytest.raises(ConfigError, match=r"agent\.toml: slots"):
        load_config(file, {"slots": 3})
