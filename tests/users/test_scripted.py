"""Tests of agenttop.users.scripted, agenttop.users.script.

The life of a user written in Python: hooks, tasks by weight, exceptions in each place.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from time import perf_counter_ns

import pytest

from agenttop.metrics.outcome import USER_ERROR
from agenttop.metrics.recorder import Recorder
from agenttop.users import scripted
from agenttop.users import user as users
from tests.users.playing import Play, Script, ended, path_of, playing, pool_of
from tests.users.scripts import log_of, play, profile, write
from tests.wire.reading import until
from tests.wire.server import ok

WHOLE = """
async def setup(self):
    answer = await self.client.post("/sessions", json={"user": self.number})
    self.session = answer.json()["id"]
    self.log.append(("setup", self.iteration))

@task
async def buy(self):
    answer = await self.client.get(f"/buy/{self.session}")
    self.log.append((self.check("fine", answer.text == "y"), self.iteration, answer.status, answer.ok, self.leaving))

async def teardown(self):
    await self.client.delete(f"/sessions/{self.session}")
    self.log.append("teardown")
"""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits before he tries again; that he would is looked at on its own."""
    monkeypatch.setattr(scripted, "RETRY_S", 0.0)
    monkeypatch.setattr(users, "RETRY_S", 0.0)
    monkeypatch.setattr("agenttop.users.base.RETRY_S", 0.0)


def raised(played: Play) -> list[tuple[str, int]]:
    """Exceptions of the code, and how often."""
    assert all(error.outcome == USER_ERROR for error in played.errors)
    return [(error.message, error.count) for error in played.errors]


async def test_a_whole_life(tmp_path: Path) -> None:
    answers = [ok(b'{"id": 7}'), ok(b"y"), ok(b"n", status="503 Busy"), ok(b"y")]
    write(tmp_path, WHOLE)
    script = Script(*answers, ok(b""))
    async with playing(tmp_path, profile(), script) as (pool, layout, recorder):
        pool.aim(1)
        await until(lambda: len(script.requests) == 4)
        pool.finish(sending=True)
        await ended(pool)
        played, log = Play(layout, recorder), log_of(pool)
    assert [request.split(b" HTTP")[0] for request in script.requests] == [
        b"POST /sessions",
        b"GET /buy/7",
        b"GET /buy/7",
        b"GET /buy/7",
        b"DELETE /sessions/7",
    ]
    assert log == [
        ("setup", 0),
        (True, 1, 200, True, False),
        (False, 2, 503, False, False),
        (True, 3, 200, True, True),
        "teardown",
    ]
    assert {name: leaf.outcomes for name, leaf in played.leaves.items()} == {
        "setup": {"ok": 1},
        "buy": {"ok": 2, "server_error": 1},
        "teardown": {"ok": 1},
    }
    assert played.checks == {"fine": (2, 1)}
    (counts,) = played.pools
    assert (counts.sessions, counts.iterations) == (1, 3)


@pytest.mark.parametrize(
    ("weights", "expected"), [((3, 1), 0.75), ((1, 0), 1.0), ((1, 1), 0.5)], ids=["3:1", "1:0", "1:1"]
)
async def test_tasks_are_chosen_by_their_weights(tmp_path: Path, weights: tuple[int, int], expected: float) -> None:
    body = """
    @task({})
    async def a(self): self.log.append("a")

    @task({})
    async def b(self): self.log.append("b")
    """
    write(tmp_path, body.format(*weights))
    pool, _, _ = pool_of(tmp_path, profile().replace("{port}", "9"))
    pool.aim(1)
    await until(lambda: len(log_of(pool)) >= 2000)  # tasks that wait for nothing let the loop turn all the same
    pool.finish(sending=True)
    await ended(pool)
    counts = Counter(log_of(pool))
    assert counts["a"] / counts.total() == pytest.approx(expected, abs=0.05)
    assert pool.tally.iterations == counts.total()


async def test_choices_and_chance_are_the_same_with_the_same_seed(tmp_path: Path) -> None:
    body = """
    @task
    async def a(self): self.log.append(self.random.random())

    @task(2)
    async def b(self): self.log.append("b")
    """
    logs: list[list[object]] = []
    for seed in (1, 1, 2):
        write(tmp_path, body + f"\n    # {len(logs)}")  # a module of its own each time
        pool, _, _ = pool_of(tmp_path, profile(top=f"seed = {seed}").replace("{port}", "9"))
        pool.aim(2)
        await until(lambda pool=pool: len(log_of(pool)) >= 50)  # type: ignore[misc]
        pool.finish(sending=True)
        await ended(pool)
        logs.append(log_of(pool)[:50])
    assert logs[0] == logs[1] != logs[2]


async def test_a_session_has_the_row_of_its_data_and_an_object_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "words.csv").write_text("word\none\ntwo\n")
    body = """
    async def setup(self):
        assert not hasattr(self, "mine")
        self.mine = self.variables["word"]

    @task
    async def say(self):
        await self.client.get("/" + self.mine)
    """
    write(tmp_path, body)
    script = Script(*[ok(b"")] * 2)
    text = profile(pool='data = { file = "words.csv", order = "once" }\nthink_time = "1h"')
    async with playing(tmp_path, text, script) as (pool, _, _):
        pool.aim(2)
        await ended(pool)
    assert sorted(path_of(request) for request in script.requests) == ["/one", "/two"]


# -- exceptions


async def test_an_exception_in_a_task_ends_it_there(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        await self.client.get("/a")
        {}["x"]
        await self.client.get("/never")
    """
    played, requests, _ = await play(tmp_path, body, *[ok(b"")] * 3)
    assert [path_of(request) for request in requests] == ["/a"] * 3
    assert raised(played) == [("Shop.buy raised KeyError: 'x' (my_agent.py:11)", 3)]
    assert played.only.outcomes == {"ok": 3}
    assert played.only.sums["user_errors"] == 3
    (counts,) = played.pools
    assert counts.iterations == 0


async def test_an_exception_in_setup_is_a_failed_setup(tmp_path: Path) -> None:
    body = """
    def __init__(self):
        self.log.append("born")
        if len(self.log) == 1: raise OSError("no file")

    async def setup(self):
        answer = await self.client.get("/setup")
        self.id = answer.json()["id"]

    @task
    async def buy(self): await self.client.get("/buy")
    """
    played, requests, log = await play(tmp_path, body, ok(b"{}"), ok(b"{}", status="500 x"), ok(b'{"id": 1}'), ok(b""))
    assert [path_of(request) for request in requests] == ["/setup"] * 3 + ["/buy"]
    assert log == ["born"] * 4
    errors = {error.message: error.count for error in played.errors}
    assert errors["Shop.setup raised OSError: no file (my_agent.py:10)"] == 1
    assert errors["Shop.setup raised KeyError: 'id' (my_agent.py:14)"] == 2
    (counts,) = played.pools
    assert (counts.sessions, counts.iterations) == (1, 1)


async def test_a_failed_request_that_ends_a_task_is_no_exception_of_the_users(tmp_path: Path) -> None:
    body = """
    async def setup(self):
        (await self.client.get("/setup")).raise_for_status()

    @task
    async def buy(self):
        (await self.client.get("/buy")).raise_for_status()
        self.log.append("bought")
    """
    busy = ok(b"", status="503 Busy")
    played, _, log = await play(tmp_path, body, busy, ok(b""), busy, ok(b""))
    assert {name: leaf.outcomes for name, leaf in played.leaves.items()} == {
        "setup": {"ok": 1, "server_error": 1},
        "buy": {"ok": 1, "server_error": 1},
    }
    assert [error.outcome for error in played.errors] == ["server_error"] * 2
    assert log == ["bought"]
    (counts,) = played.pools
    assert (counts.sessions, counts.iterations) == (1, 1)


async def test_an_exception_in_teardown_is_counted(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self): await self.client.get("/buy")

    async def teardown(self): raise RuntimeError
    """
    played, _, _ = await play(tmp_path, body, ok(b""))
    assert raised(played) == [("Shop.teardown raised RuntimeError (my_agent.py:11)", 1)]


@pytest.mark.parametrize("what", ["SystemExit(3)", "KeyboardInterrupt", "asyncio.CancelledError", "BaseException('x')"])
async def test_nothing_that_code_raises_ends_the_user(tmp_path: Path, what: str) -> None:
    body = f"""
    @task
    async def buy(self):
        await self.client.get("/buy")
        raise {what}
    """
    played, requests, _ = await play(tmp_path, body, *[ok(b"")] * 2)
    assert len(requests) == 2
    ((message, count),) = raised(played)
    assert message.startswith(f"Shop.buy raised {what.partition('(')[0].removeprefix('asyncio.')}")
    assert (message.endswith("(my_agent.py:11)"), count) == (True, 2)


async def test_after_an_exception_the_user_waits_a_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted, "RETRY_S", 0.25)
    body = """
    @task
    async def buy(self):
        await self.client.get("/buy")
        raise KeyError
    """
    began = perf_counter_ns()
    await play(tmp_path, body, *[ok(b"")] * 3)
    assert perf_counter_ns() - began >= 480_000_000


async def test_an_exception_in_an_open_pool_frees_its_user(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        await self.client.get("/buy")
        raise KeyError("x")
    """
    write(tmp_path, body)
    script = Script(*[ok(b"")] * 3)
    text = profile(pool='stages = [{ duration = "1s", rate = 1 }]').replace('users = 1\nduration = "1s"', "")
    async with playing(tmp_path, text, script) as (pool, layout, recorder):
        for number in range(2):
            pool.arrive(perf_counter_ns())
            await until(lambda: pool.idle)
            assert len(script.requests) == number + 1
        pool.finish(sending=True)
        await ended(pool)
        played = Play(layout, recorder)
    assert raised(played) == [("Shop.buy raised KeyError: 'x' (my_agent.py:11)", 2)]
    assert played.only.hists["response_time"].count == played.only.hists["schedule_lag"].count == 2


async def test_a_long_message_keeps_its_place_and_a_secret_is_masked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = """
    @task
    async def buy(self): raise ValueError("k-e-y-1 " + "x" * 5000)
    """
    write(tmp_path, body)
    pool, layout, _ = pool_of(tmp_path, profile().replace("{port}", "9"))
    pool.recorder = recorder = Recorder(layout.closed, ("k-e-y-1",))
    pool.enter(0)
    pool.aim(1)
    await until(lambda: pool.leaves[0].user_errors >= 2)
    pool.finish(sending=True)
    await ended(pool)
    (message,) = {error.message for error in Play(layout, recorder).errors}
    assert message.startswith("Shop.buy raised ValueError: *** xxx")
    assert message.endswith("x… (my_agent.py:9)")
    assert len(message) == 300
    # The log has the traceback, of each place once.
    log = capsys.readouterr().err
    assert log.count("Traceback") == 1
    assert "k-e-y-1" not in log


async def test_messages_that_are_never_the_same_are_one_for_their_place(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        await self.client.get("/buy")
        raise KeyError(self.iteration)
    """
    played, _, _ = await play(tmp_path, body, *[ok(b"")] * 9)
    found = dict(raised(played))
    assert found.pop("Shop.buy raised KeyError (my_agent.py:11)") == 9 - scripted.MAX_VARIANTS
    assert found == {f"Shop.buy raised KeyError: {number} (my_agent.py:11)": 1 for number in range(1, 6)}


async def test_checks_with_made_up_names_are_bounded(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        await self.client.get("/")
        for number in range(500): self.check(f"check {number}", True)
    """
    played, _, _ = await play(tmp_path, body, ok(b""))
    assert len(played.checks) == scripted.MAX_CHECKS + 1
    assert played.checks["(other)"] == (300, 0)
