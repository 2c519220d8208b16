"""Tests of agenttop.profile.hidden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttop.profile.hit import Hit, HitError, HitProfile, hit_profile
from agenttop.profile.load import Loaded, load_profile
from agenttop.profile.problems import ProfileError
from agenttop.users.compile import compile_pools, layout_of

URL = "http://127.0.0.1:8000/v1/chat"
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
anything = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])


def load(folder: Path, hit: Hit, **environment: str) -> tuple[HitProfile, Loaded]:
    profile = hit_profile(hit, environment)
    path = folder / "hit.toml"
    path.write_text(profile.text, encoding="utf-8")
    return profile, load_profile(path, env=environment | dict(profile.hidden))


def sent(loaded: Loaded) -> tuple[str, dict[str, str], bytes]:
    """The first line, headers and body of what its users send."""
    pool = compile_pools(loaded.profile, layout_of(loaded.profile))[0]
    head, _, body = pool.task(0.0).steps[0].fill({}).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


def written(**hit: Any) -> str:
    return hit_profile(Hit(**{"url": URL, **hit}), {}).text


def test_a_quick_look(tmp_path: Path) -> None:
    profile, loaded = load(tmp_path, Hit(URL))
    assert loaded.warnings == ()
    assert (loaded.profile.name, loaded.profile.target) == ("127.0.0.1:8000", "http://127.0.0.1:8000")
    (stage,) = loaded.profile.stages
    assert (stage.users, stage.duration, stage.ramp) == (10, 10.0, "step")
    assert sent(loaded)[0] == "GET /v1/chat HTTP/1.1"
    assert profile.hidden == {}


def test_an_open_pool(tmp_path: Path) -> None:
    _, loaded = load(tmp_path, Hit(URL, rate=2.5, users=7, duration_s=90.0))
    (pool,) = loaded.profile.pools
    assert (pool.open, pool.max_users, pool.stages[0].rate, pool.stages[0].duration) == (True, 7, 2.5, 90.0)
    assert loaded.profile.stages == []


@anything
@given(texts)
def test_a_body_is_sent_as_it_was_typed(tmp_path: Path, body: str) -> None:
    first, headers, content = sent(load(tmp_path, Hit(URL, body=body))[1])
    assert first.startswith("POST ")
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict | list):
        assert json.loads(content) == parsed
        assert headers["content-type"] == "application/json"
    else:
        assert content == body.encode()


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@anything
@given(st.dictionaries(texts, values, max_size=4))
def test_a_body_of_json_means_the_same(tmp_path: Path, body: dict[str, Any]) -> None:
    _, headers, content = sent(load(tmp_path, Hit(URL, body=json.dumps(body)))[1])
    assert json.loads(content) == body
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("body", ['{"${": []}', '{"${X}": {"{y}": "${Z}"}}'])
def test_names_in_json_are_no_references(tmp_path: Path, body: str) -> None:
    assert json.loads(sent(load(tmp_path, Hit(URL, body=body))[1])[2]) == json.loads(body)


@pytest.mark.parametrize("body", ['{"a": 1, "a": 2}', '{"a": null}', '{"a": "\\ud800"}', '[1, {"b": [null]}]'])
def test_json_that_toml_has_no_form_for_goes_as_it_is(tmp_path: Path, body: str) -> None:
    _, headers, content = sent(load(tmp_path, Hit(URL, body=body))[1])
    assert content == body.encode()
    assert headers["content-type"] == "application/json"


@anything
@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40))
def test_a_header_is_sent_as_it_was_typed_and_stands_nowhere(tmp_path: Path, value: str) -> None:
    value = value.replace("$", "S")
    for name in ("authorization", "X-Api-Key", "cookie", "x-unheard-of"):
        profile, loaded = load(tmp_path, Hit(URL, headers=[f"{name}: {value}"]))
        assert sent(loaded)[1][name.lower()] == value
        assert profile.shown
        assert loaded.masked["headers"][name] == "***"
        if len(value) > 12:
            assert value not in profile.text
            assert value not in json.dumps(loaded.masked)


def test_the_scheme_of_an_authorization_stays(tmp_path: Path) -> None:
    profile, loaded = load(tmp_path, Hit(URL, headers=["Authorization: Bearer sesame-open"]))
    assert 'Authorization = "Bearer ${AUTHORIZATION}"' in profile.text
    assert profile.hidden == {"AUTHORIZATION": "sesame-open"}
    assert loaded.masked["headers"] == {"Authorization": "Bearer ***"}
    assert loaded.secrets == ("sesame-open",)


@pytest.mark.parametrize("text", ["Bearer $KEY", "Bearer ${KEY}"])
def test_a_variable_of_the_environment(tmp_path: Path, text: str) -> None:
    profile, loaded = load(tmp_path, Hit(URL, headers=[f"authorization: {text}"]), KEY="sesame-open")
    assert 'authorization = "Bearer ${KEY}"' in profile.text
    assert (profile.hidden, profile.shown) == ({}, ())
    assert sent(loaded)[1]["authorization"] == "Bearer sesame-open"
    assert loaded.masked["headers"] == {"authorization": "Bearer ***"}


def test_a_dollar_alone_is_a_dollar(tmp_path: Path) -> None:
    profile, loaded = load(tmp_path, Hit(URL, headers=["x-password: pa$word"]))
    assert sent(loaded)[1]["x-password"] == "pa$word"
    assert "pa$word" not in profile.text


def test_what_is_nobodys_secret_can_be_read(tmp_path: Path) -> None:
    profile, loaded = load(tmp_path, Hit(URL, headers=["Accept: text/{x}", "content-type: application/x"], body="{}"))
    assert 'Accept = "text/{{x}}"' in profile.text
    assert sent(loaded)[1]["accept"] == "text/{x}"
    assert sent(loaded)[1]["content-type"] == "application/x"
    assert profile.shown == ()


def test_a_key_in_the_url(tmp_path: Path) -> None:
    profile, loaded = load(tmp_path, Hit(URL + "?key=sesame%2Fopen&n=1&{x}=${y}&flag"))
    assert sent(loaded)[0] == "GET /v1/chat?key=sesame%2Fopen&n=1&%7Bx%7D=$%7By%7D&flag HTTP/1.1"
    assert "sesame" not in profile.text
    assert "sesame" not in json.dumps(loaded.masked)
    assert loaded.profile.pools[0].tasks[0].steps[0].name.startswith("GET /v1/chat?key=***&n=1")


@pytest.mark.parametrize(
    ("dialect", "body", "protocol"),
    [
        ("openai.chat", '{"stream": true}', "sse"),
        ("openai.chat", '{"stream": true, "stop": null}', "sse"),
        ("openai.chat", '{"stream": false}', "http"),
        ("openai.chat", "{}", "http"),
        ("anthropic.messages", '{"stream": true}', "sse"),
        (None, '{"stream": true}', "http"),
        ("ag-ui", "{}", "sse"),
        ("a2a", '{"method": "message/stream"}', "sse"),
        ("a2a", '{"method": "message/send"}', "http"),
    ],
)
def test_a_stream_is_asked_for_where_the_body_says_so(
    tmp_path: Path, dialect: str | None, body: str, protocol: str
) -> None:
    _, loaded = load(tmp_path, Hit(URL, dialect=dialect, body=body))
    assert loaded.profile.pools[0].protocol == protocol
    assert loaded.warnings == ()


def test_websockets(tmp_path: Path) -> None:
    (pool,) = load(tmp_path, Hit("wss://h/chat", body='{"text": "{hi}"}'))[1].profile.pools
    assert [step.connect for step in pool.setup] == ["/chat"]
    (step,) = pool.tasks[0].steps
    assert (step.send, step.expect) == ({"text": "{{hi}}"}, "$")
    (pool,) = load(tmp_path, Hit("ws://h", body="hello", dialect="openai.realtime"))[1].profile.pools
    assert (pool.tasks[0].steps[0].send, pool.tasks[0].steps[0].expect) == ("hello", None)
    (pool,) = load(tmp_path, Hit("ws://h"))[1].profile.pools
    assert [(step.connect, step.close) for step in pool.tasks[0].steps] == [("/", False), (None, True)]


@pytest.mark.parametrize(
    ("hit", "why"),
    [
        (Hit("localhost:8000/x"), "localhost:8000/x: expected a URL that begins with http://"),
        (Hit("http:///x"), "this URL has no host"),
        (Hit("http://h:99999"), "its host or port cannot be read"),
        (Hit("http://me:secret@h"), "the URL holds a user and a password"),
        (Hit(URL, method="HEAD"), "-m HEAD: expected one of GET, POST"),
        (Hit("ws://h", method="GET"), "-m is of HTTP"),
        (Hit(URL, headers=["sesame"]), '-H: expected "Name: value"'),
        (Hit(URL, headers=["a: b", "A: c"]), "-H A: it is there twice"),
        (Hit(URL, body="\ud800"), "it is not UTF-8 text"),
        (Hit(URL, body='{"a": 1e999}'), "-d holds a number that is too large"),
    ],
)
def test_what_cannot_be(hit: Hit, why: str) -> None:
    with pytest.raises(HitError) as error:
        hit_profile(hit, {})
    assert why in str(error.value)
    assert "secret@" not in str(error.value)
    assert "sesame" not in str(error.value)


def test_the_text_is_one_to_go_on_from() -> None:
    assert written(users=3, body='{"model": "m", "stream": true}', dialect="openai.chat") == (
        'name = "127.0.0.1:8000"\n'
        'target = "http://127.0.0.1:8000"\n'
        "users = 3\n"
        'duration = "10s"\n'
        "\n[[pools]]\n"
        'name = "hit"\n'
        'protocol = "sse"\n'
        'dialect = "openai.chat"\n'
        "\n  [[pools.tasks]]\n"
        '  post = "/v1/chat"\n'
        '  json = { model = "m", stream = true }\n'
    )


def test_a_secret_takes_no_variables_name_from_another(tmp_path: Path) -> None:
    lines = ["authorization: Bearer $TOKEN", "x-api-key: open-sesame"]
    asked = Hit(URL + "?token=sesame-open", headers=lines)
    profile, loaded = load(tmp_path, asked, TOKEN="from-outside", X_API_KEY="x")
    first, headers, _ = sent(loaded)
    assert headers["authorization"] == "Bearer from-outside"
    assert headers["x-api-key"] == "open-sesame"
    assert first == "GET /v1/chat?token=sesame-open HTTP/1.1"
    assert profile.hidden == {"TOKEN_2": "sesame-open", "X_API_KEY_2": "open-sesame"}
    # One that is not set is asked for, and is not what happens to be called so.
    with pytest.raises(ProfileError, match="the environment variable X_B is not set"):
        load(tmp_path, Hit(URL, headers=["x-a: ${X_B}", "x-b: sesame"]))
    # The same value needs no other name.
    assert load(tmp_path, Hit(URL, headers=["token: same"]), TOKEN="same")[0].hidden == {"TOKEN": "same"}


def test_a_header_is_no_setting(tmp_path: Path) -> None:
    _, loaded = load(tmp_path, Hit(URL, headers=["agenttop-target: http://elsewhere"]))
    assert loaded.profile.target == "http://127.0.0.1:8000"
    assert sent(loaded)[1]["agenttop-target"] == "http://elsewhere"


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ('{"api_key": "sesame-{open}", "max_tokens": 5, "keywords": "a"}', "api_key"),
        ('[{"auth": {"accessToken": "sesame-{open}", "n": 1.5}}]', "accessToken"),
        ('{"a\\nclient_secret": "sesame-{open}"}', "a\\nclient_secret"),
        ("user=me&password=sesame-{open}&b=", "password"),
        # What TOML has no form for goes as it was typed, to the byte.
        ('{"a": null, "password": "sesame-{open}"}', "password"),
        ('{"a": [null, {"token" : "sesame-\\u00e9\\"{"}], "b": "\\u0041"}', "token"),
    ],
)
def test_a_secret_in_the_body(tmp_path: Path, body: str, key: str) -> None:
    profile, loaded = load(tmp_path, Hit(URL, body=body))
    _, _, content = sent(loaded)
    assert content == body.encode() or ("null" not in body and json.loads(content) == json.loads(body))
    assert "sesame" not in profile.text
    assert "sesame" not in json.dumps(loaded.masked)
    (shown,) = profile.shown
    assert shown.startswith(f"the value of {key} in the body is not in it: set ")


def test_so_many_requests(tmp_path: Path) -> None:
    _, loaded = load(tmp_path, Hit(URL, requests=50))
    assert loaded.profile.budget is not None
    assert (loaded.profile.budget.requests, loaded.profile.stages[0].duration) == (50, 86_400.0)
    _, loaded = load(tmp_path, Hit(URL, requests=50, duration_s=3.0, rate=5.0))
    assert loaded.profile.pools[0].stages[0].duration == 3.0
    assert loaded.warnings == ()


@pytest.mark.parametrize("url", ["http://h:99999/?key=sesame", "ftp://me:sesame@h/?key=sesame", "http://me:sesame@h:x"])
def test_an_error_shows_no_secret_of_the_url(url: str) -> None:
    with pytest.raises(HitError) as error:
        hit_profile(Hit(url), {})
    assert "sesame" not in str(error.value)
