"""The agent of a box, as it is called from afar, with a real worker."""

from __future__ import annotations

import pickle
from pathlib import Path
from time import monotonic, perf_counter_ns

from agenttop.agent.process import AgentProcess
from agenttop.controller.items import Item
from agenttop.fleet.agent import Agent
from agenttop.fleet.messages import Begin, Kill, Told, items_of, pack
from agenttop.profile.model import Profile
from agenttop.schedule.control import Control
from agenttop.users.compile import layout_of
from agenttop.worker.messages import Go, Halt, Steer
from tests.controller.test_box import TEXT
from tests.steering.plans import profile_of


def begin(profile: Profile, run_id: str = "id") -> bytes:
    return pack(Begin(run_id, pickle.dumps(profile), (), layout_of(profile), 0, 1, 2, None))


async def test_it_does_what_it_is_told_once_and_says_what_its_workers_say(tmp_path: Path) -> None:
    with AgentProcess({"preset": "quiet"}) as target:
        agent = Agent("id")
        try:
            assert await agent.start(begin(profile_of(tmp_path, TEXT, target.url))) == ""
            # One of two workers: 5 of 9 users are its own.
            go, steer = Told(1, Go(perf_counter_ns())), Told(2, Steer(0.0, Control(users=4)))
            await agent.tell(pack([go, steer]))
            await agent.tell(pack([go, steer, Told(3, Steer(0.0, Control(users=2)))]))
            heard: list[Item] = []
            deadline = monotonic() + 30
            users = -1
            while users != 1:
                assert monotonic() < deadline, heard[-1:]
                for item in items_of(await agent.poll(heard[-1].seq if heard else 0, 0.2, 0.0)):
                    heard.append(item)
                    users = sum(state.users for state in item.delta.states) if item.delta else users
            await agent.tell(pack([Told(4, Halt("cancel"))]))
            while not heard[-1].ended:
                assert monotonic() < deadline
                heard += items_of(await agent.poll(heard[-1].seq, 0.2, 0.0))
            assert [item.seq for item in heard] == list(range(1, len(heard) + 1))
            assert heard[-1].exit == ""
        finally:
            await agent.tell(pack([Told(9, Kill())]))
            await agent.stop(5.0)


async def test_it_belongs_to_one_run_and_says_what_fails(tmp_path: Path) -> None:
    profile = profile_of(tmp_path, TEXT, "http://127.0.0.1:1")
    agent = Agent("id")
    assert await agent.start(begin(profile, "another")) == "it belongs to the run id"
    assert "cannot connect to 127.0.0.1:1" in await agent.unreachable(pickle.dumps(profile))
    pool = profile.pools[0].model_copy(update={"target": "https://127.0.0.1:1"})
    tls = profile.tls.model_copy(update={"ca": "/no/such/file.pem"})
    broken = profile.model_copy(update={"pools": [pool], "tls": tls})
    assert "FileNotFoundError" in await agent.start(begin(broken))
    await agent.stop(5.0)
