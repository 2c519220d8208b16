"""``AGENTTOP_*`` variables."""

from __future__ import annotations

import pytest

from agenttop.profile.settings import Settings, SettingsProblem, read_settings, unknown_variables


def test_nothing_set_means_nothing_changed() -> None:
    settings = read_settings({})
    assert settings.profile_keys() == {}
    assert (settings.workers, settings.users, settings.spawn_rate) == ("auto", None, None)


def test_keys_of_the_profile_and_settings_of_our_own() -> None:
    settings = read_settings(
        {
            "AGENTTOP_TARGET": "http://a",
            "AGENTTOP_TLS__VERIFY": "false",
            "AGENTTOP_WARMUP": "5s",
            "AGENTTOP_WORKERS": "3",
            "AGENTTOP_USERS": "10",
            "AGENTTOP_SPAWN_RATE": "2.5",
            "OTHER": "x",
        }
    )
    assert settings.profile_keys() == {"target": "http://a", "tls": {"verify": False}, "warmup": "5s"}
    assert (settings.workers, settings.users, settings.spawn_rate) == (3, 10, 2.5)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("AGENTTOP_SEED", "x", "expected a whole number"),
        ("AGENTTOP_WARMUP", "soon", 'expected a duration such as "30s"'),
        ("AGENTTOP_WORKERS", "many", 'expected a whole number, or "auto"'),
        ("AGENTTOP_WORKERS", "257", 'expected a whole number, or "auto"'),
        ("AGENTTOP_WORKERS", "0", 'expected a whole number, or "auto"'),
        ("AGENTTOP_USERS", "0", "expected at least 1"),
        ("AGENTTOP_SPAWN_RATE", "0", "expected more than 0"),
        ("AGENTTOP_TLS__VERIFY", "perhaps", "expected true or false"),
        ("AGENTTOP_TLS__VERFY", "1", 'unknown key; did you mean "verify"?'),
        ("AGENTTOP_TLS", "x", "set its parts, such as AGENTTOP_TLS__CA"),
    ],
)
def test_a_value_that_cannot_be_used_names_its_variable(name: str, value: str, message: str) -> None:
    with pytest.raises(SettingsProblem) as caught:
        read_settings({name: value})
    assert [(fault.loc, fault.message) for fault in caught.value.faults] == [((name,), message)]
    assert str(caught.value) == f"{name}: {message}"


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTTOP_WORKERS", "2")
    assert read_settings().workers == 2
    assert Settings().workers == 2


def test_variables_that_set_nothing() -> None:
    assert unknown_variables({"AGENTTOP_WORKERS": "1", "AGENTTOP_TLS__CA": "x", "PATH": "y"}) == []
    assert unknown_variables({"AGENTTOP_WROKERS": "1"}) == [
        "AGENTTOP_WROKERS is set, and sets nothing; did you mean AGENTTOP_WORKERS?"
    ]
    assert unknown_variables({"AGENTTOP_QQQQQQ": "1"}) == ["AGENTTOP_QQQQQQ is set, and sets nothing"]
