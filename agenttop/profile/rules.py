"""Checks what must hold between the values of a profile.

Works on tables rather than on the model, so that a profile with a wrong value somewhere still hears about the rest.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from agenttop.dialects import DIALECTS
from agenttop.profile.asked_headers import check_asked
from agenttop.profile.budget import check_budget
from agenttop.profile.conversations import check_conversations
from agenttop.profile.fields import saved_header
from agenttop.profile.fleet import NoBoxError, parse_hosts
from agenttop.profile.keys import REQUEST_KEYS, SOCKET_KEYS
from agenttop.profile.measured import is_of_event
from agenttop.profile.normalise import Table
from agenttop.profile.problems import Fault, Loc
from agenttop.profile.search import check_search, searched_by_rate
from agenttop.profile.tables import number, seconds, steps_of, tables
from agenttop.profile.variables import check_variables

_PROTOCOLS = ("http", "sse", "ws")
_BODIES = ("json", "body", "form")
#: Keys of a pool that say what its users do step by step.
_OF_STEPS = ("setup", "tasks", "teardown", "history")


def check_rules(data: Table, raw: Table, columns: Mapping[Loc, frozenset[str]]) -> Iterator[Fault]:
    """Yield the faults between the values of a normalised profile.

    ``raw`` is the file it came from, ``columns`` are those of its data files.
    """
    pools = data.get("pools")
    if not pools:
        yield Fault((), "no pools; write at least one [[pools]] with its tasks")
    yield from _load(data, raw)
    yield from check_search(data, raw)
    names = Counter(pool["name"] for pool in tables(pools) if isinstance(pool.get("name"), str))
    shared: list[Any] = []
    for index, pool in enumerate(tables(pools)):
        loc: Loc = ("pools", index)
        name = pool.get("name")
        if isinstance(name, str) and names[name] > 1:
            names[name] = 0  # said once
            yield Fault((*loc, "name"), f'two pools are called "{name}"')
        if not pool.get("stages"):
            shared.append(pool.get("weight", 1))
        yield from _pool(pool, loc, data)
    if shared and all(number(weight) == 0 for weight in shared):
        yield Fault((), "the weights of all pools are zero, so that no pool gets users")
    if data.get("objectives") == {}:
        yield Fault(("objectives",), 'is empty; write one such as ttft = "2s"')
    yield from _refusals(data)
    yield from check_budget(data)
    yield from _traces(data)
    yield from check_asked(data)
    if pools and all(pool.get("protocol") == "ws" for pool in tables(pools)):
        yield from _named_events(data.get("measure"), ("measure",))
    tls = data.get("tls")
    if isinstance(tls, dict) and "key" in tls and "cert" not in tls:
        yield Fault(("tls", "key"), "a key needs its cert")
    proxy = data.get("proxy")
    url = proxy.get("url") if isinstance(proxy, dict) else None
    if isinstance(url, str) and not url.startswith(("http://", "https://")):
        yield Fault(("proxy", "url"), "expected a URL that begins with http:// or https://")
    if proxy is not None:
        for index, pool in enumerate(tables(data.get("pools"))):
            if pool.get("protocol") == "ws":
                yield Fault(
                    ("pools", index, "protocol"), "a WebSocket cannot go through a proxy yet; leave [proxy] out"
                )
    yield from _fleet(data.get("fleet"))
    yield from check_variables(data, columns)


def _fleet(table: Any) -> Iterator[Fault]:
    """Yield the faults of [fleet]."""
    if not isinstance(table, dict):
        return
    hosts, least = table.get("hosts"), table.get("min_hosts")
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
        return
    try:
        parse_hosts(hosts)
    except NoBoxError:
        pass  # its field has said so
    except ValueError as error:
        yield Fault(("fleet", "hosts"), str(error))
    if isinstance(least, int) and least > len(hosts):
        yield Fault(("fleet", "min_hosts"), f"there are only {len(hosts)} hosts")


def _refusals(data: Table) -> Iterator[Fault]:
    """Yield the faults of what is done about 429s."""
    policy = data.get("on_429", "count")
    inherited = policy == "retry"  # does anything retry as often as the profile says?
    refused = False
    for index, pool in enumerate(tables(data.get("pools"))):
        loc: Loc = ("pools", index)
        usual = pool.get("on_429", policy)
        steps = list(steps_of(pool, loc))
        again = [(place, step) for place, step in steps if step.get("on_429", usual) == "retry"]
        if "max_retries" in pool and usual != "retry" and not any("max_retries" not in step for _, step in again):
            yield Fault((*loc, "max_retries"), 'goes with on_429 = "retry"')
        for place, step in steps:
            if "max_retries" in step and step.get("on_429", usual) != "retry":
                yield Fault((*place, "max_retries"), 'goes with on_429 = "retry"')
            if "on_429" in step and (step.get("close") or step.get("wait") is False):
                yield Fault((*place, "on_429"), "needs an answer, and this awaits none")
        inherited = inherited or usual == "retry" or any(step.get("on_429") == "retry" for _, step in steps)
        if pool.get("protocol") != "ws":
            continue
        text = 'on_429 = "retry" is not supported yet in a {}WebSocket pool; write "honor" or "count"'
        if pool.get("on_429") == "retry":
            yield Fault((*loc, "on_429"), text.format(""))
        elif usual == "retry" and not refused:
            refused = True
            yield Fault(("on_429",), text.format("profile with a "))
        for place, step in steps:
            if step.get("on_429") == "retry":
                yield Fault((*place, "on_429"), text.format(""))
    if "max_retries" in data and not inherited:
        yield Fault(("max_retries",), 'goes with on_429 = "retry"')


def _traces(data: Table) -> Iterator[Fault]:
    """Yield a fault if both ``traceparent = true`` and the profile's headers make a traceparent."""
    if data.get("traceparent", False) is False:
        return
    places: list[tuple[Loc, Table]] = [((), data)]
    for index, pool in enumerate(tables(data.get("pools"))):
        places += [(("pools", index), pool), *steps_of(pool, ("pools", index))]
    for loc, table in places:
        headers = table.get("headers")
        for name in headers if isinstance(headers, dict) else ():
            if isinstance(name, str) and name.lower() == "traceparent":
                yield Fault((*loc, "headers", name), "is made by traceparent = true; leave out one of them")


def _load(data: Table, raw: Table) -> Iterator[Fault]:
    """Yield the faults of the stages of the whole run, their short form, and the warm-up before them."""
    stages = data.get("stages")
    short = [key for key in ("users", "duration") if key in raw]
    if "stages" in raw and short:
        yield Fault((short[0],), "users and duration are the short form of stages: write one or the other")
    elif len(short) == 1:
        other = "duration" if short == ["users"] else "users"
        yield Fault((short[0],), f"needs {other} as well, or write [[stages]]")
    elif not stages and "search" not in data and any(not pool.get("stages") for pool in tables(data.get("pools"))):
        yield Fault((), "no load; write users and duration, or [[stages]], or stages in every pool")
    for index, stage in enumerate(tables(stages)):
        if "rate" in stage:
            yield Fault(("stages", index, "rate"), "a rate belongs into the stages of a pool; here users are counted")
        elif "users" not in stage:
            yield Fault(("stages", index), "needs users")
    yield from _some_load(stages, ("stages",))
    runs = [_length(stages), *(_length(pool.get("stages")) for pool in tables(data.get("pools")))]
    warmup = seconds(data.get("warmup", "0s"))
    if max(runs) > 0 and "search" not in data and not math.isnan(warmup) and warmup >= max(runs):
        yield Fault(("warmup",), "lasts as long as the whole run, so that nothing would be measured")


def _some_load(stages: Any, loc: Loc) -> Iterator[Fault]:
    found = tables(stages)
    if not found:
        return
    if all(number(stage.get("users", stage.get("rate", 0))) == 0 for stage in found):
        yield Fault(loc, "every stage is at zero, so that nothing would be sent")
    elif _length(stages) == 0:
        yield Fault(loc, "the stages last no time at all")


def _pool(pool: Table, loc: Loc, data: Table) -> Iterator[Fault]:
    tasks = pool.get("tasks")
    for key in _OF_STEPS if "python" in pool else ():
        if key in pool:
            yield Fault((*loc, key), "cannot stand beside python: what these users do is written in their class")
    if not tasks and "python" not in pool:
        yield Fault(loc, "no tasks; write at least one [[pools.tasks]]")
    elif isinstance(tasks, list) and all(number(task.get("weight", 1)) == 0 for task in tables(tasks)):
        yield Fault((*loc, "tasks"), "the weights of all tasks are zero, so that none would ever be chosen")
    for index, task in enumerate(tables(tasks)):
        if task.get("steps") == []:
            yield Fault((*loc, "tasks", index, "steps"), "is empty; write at least one step")
    yield from _own_stages(pool, loc, rate=searched_by_rate(pool, data))
    if "pacing" in pool and "think_time" in pool:
        yield Fault((*loc, "pacing"), "goes instead of think_time: write one or the other")
    protocol = pool.get("protocol", "http")
    dialect = pool.get("dialect", data.get("dialect", "json"))
    spoken = DIALECTS.get(dialect) if isinstance(dialect, str) else None
    if spoken is not None:
        if protocol in _PROTOCOLS and protocol not in spoken.protocols:
            others = " or ".join(f'"{each}"' for each in spoken.protocols)
            yield Fault((*loc, "dialect"), f"{dialect} {spoken.instead_of_others}: write protocol = {others}")
        if "measure" in pool and not spoken.measured:
            yield Fault((*loc, "measure"), f"is read for dialect json only; {dialect} knows where its figures are")
    if protocol == "ws":
        yield from _named_events(pool.get("measure"), (*loc, "measure"))
    for place, step in steps_of(pool, loc):
        yield from _step(step, place, protocol)
        if protocol != "ws" or "dialect" in step:
            yield from _spoken(step, place, pool, dialect)
    yield from check_conversations(pool, loc, data)
    for index, task in enumerate(tables(tasks)):
        yield from _finite(task.get("tool_results"), (*loc, "tasks", index, "tool_results"))
    if protocol == "ws":
        if pool.get("connection", data.get("connection")) == "per_request":
            place = (*loc, "connection") if "connection" in pool else (*loc, "protocol")
            yield Fault(place, 'a WebSocket is one connection; write connection = "per_user" in this pool')
        yield from _connected(pool, loc)
        if spoken is not None and spoken.measured and not _says_done(pool, data):
            yield from _unanswered(pool, loc)


def _own_stages(pool: Table, loc: Loc, *, rate: bool) -> Iterator[Fault]:
    """Yield the faults of a pool's own stages. ``rate``: it has none, and a search sets its iterations per second."""
    stages = tables(pool.get("stages"))
    kinds = {kind for stage in stages for kind in ("users", "rate") if kind in stage}
    if rate:
        kinds.add("rate")
    if len(kinds) > 1:
        yield Fault((*loc, "stages"), "rate and users are mixed: all stages of a pool have the one or the other")
    for index, stage in enumerate(stages):
        if not {"users", "rate"} & set(stage):
            yield Fault((*loc, "stages", index), "needs users or rate")
    yield from _some_load(stages, (*loc, "stages"))
    if kinds == {"rate"} and "pacing" in pool:
        yield Fault((*loc, "pacing"), "has no meaning here: the rate of the stages says when tasks start")
    if kinds != {"rate"}:
        for key in ("arrivals", "max_users"):
            if key in pool:
                yield Fault((*loc, key), "has a meaning only in a pool whose stages have a rate")


def _named_events(measure: Any, loc: Loc) -> Iterator[Fault]:
    """Yield the paths of a WebSocket's ``[measure]`` that are of an SSE event."""
    if not isinstance(measure, dict):
        return
    for key, value in measure.items():
        if isinstance(value, dict):
            yield from _named_events(value, (*loc, key))
        elif isinstance(value, str) and is_of_event(value):
            yield Fault((*loc, key), "is of an SSE event, and a WebSocket message has no name; write a path into it")


def _spoken(step: Table, loc: Loc, pool: Table, dialect: Any) -> Iterator[Fault]:
    """A dialect is of a protocol: that of the step or the pool, or what ``stream`` makes of it."""
    own = step.get("protocol")
    protocol = own if own in ("http", "sse") else pool.get("protocol", "http")
    if own == "sse" and step.get("stream") is False:
        yield Fault((*loc, "stream"), 'contradicts protocol = "sse" of this step; leave out one of them')
    if own == "http" and step.get("stream") is True:
        yield Fault((*loc, "stream"), 'contradicts protocol = "http" of this step; leave out one of them')
    name = step.get("dialect", dialect if own == "sse" else None)
    spoken = DIALECTS.get(name) if isinstance(name, str) else None
    if spoken is None or protocol not in _PROTOCOLS or protocol in spoken.protocols:
        return
    place = (*loc, "dialect") if "dialect" in step else (*loc, "protocol")
    if protocol == "sse" and "http" in spoken.protocols:
        if own or ("tasks" in loc and step.get("stream") is not False):
            remedy = 'protocol = "http"' if own else 'stream = false (or protocol = "http")'
            yield Fault(place, f"{spoken.name} {spoken.instead_of_others}: write {remedy} beside it")
        return
    others = " or ".join(f'"{each}"' for each in spoken.protocols)
    text = f"{spoken.name} {spoken.instead_of_others}: its steps are of a pool with protocol = {others}"
    yield Fault(place, text)


def _step(step: Table, loc: Loc, protocol: Any) -> Iterator[Fault]:
    wrong = REQUEST_KEYS if protocol == "ws" else SOCKET_KEYS
    method = str(step.get("method", "")).lower()
    for key in wrong:
        if key in step or key == method:
            place = 'a pool with protocol = "ws"' if protocol == "ws" else f'a pool with protocol = "{protocol}"'
            other = "connect, send and close" if protocol == "ws" else "get, post, put, patch and delete"
            yield Fault((*loc, key), f"cannot stand in {place}, whose steps are {other}")
    if protocol == "ws":
        for key in ("expect", "wait", "save", "checks", "dialect"):
            if key in step and "send" not in step:
                yield Fault((*loc, key), "belongs to a send")
        for key in ("query", "headers"):
            if key in step and "connect" not in step:
                yield Fault((*loc, key), "belongs to the connect")
        for name, text in step["save"].items() if isinstance(step.get("save"), dict) else ():
            if isinstance(text, str) and saved_header(text) is not None:
                yield Fault((*loc, "save", name), "a WebSocket message has no headers; write a JSONPath into it")
        if step.get("wait") is False:
            for key in ("expect", "save", "checks", "timeout"):
                if key in step:
                    yield Fault((*loc, key), "needs an answer, and wait = false awaits none")
    bodies = [key for key in _BODIES if key in step]
    if len(bodies) > 1:
        yield Fault((*loc, bodies[1]), f"a request has one body, and this has {' and '.join(bodies)}")
    for key in ("query", "form"):
        for name, value in step[key].items() if isinstance(step.get(key), dict) else ():
            items = value if isinstance(value, list) else [value]
            if any(isinstance(item, dict | list) for item in items):
                yield Fault((*loc, key, name), "expected text, a number, true or false, or a list of them")
            elif any(isinstance(item, float) and not math.isfinite(item) for item in items):
                yield Fault((*loc, key, name), "expected a finite number")
    for key in ("json", "send"):
        yield from _finite(step.get(key), (*loc, key))


def _finite(value: Any, loc: Loc) -> Iterator[Fault]:
    if isinstance(value, float) and not math.isfinite(value):
        yield Fault(loc, "JSON has no inf and no nan")
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _finite(item, (*loc, key))


def _connected(pool: Table, loc: Loc) -> Iterator[Fault]:
    """Yield a fault for every send without a connect before it, in setup or in its own task."""
    connected = yield from _walk(pool.get("setup"), (*loc, "setup"), False)
    for index, task in enumerate(tables(pool.get("tasks"))):
        yield from _walk(task.get("steps"), (*loc, "tasks", index, "steps"), connected)


def _walk(steps: Any, loc: Loc, connected: bool) -> Any:
    for index, step in enumerate(tables(steps)):
        if "send" in step and not connected:
            text = 'nothing is connected here; write connect = "/path" before it, or in setup'
            yield Fault((*loc, index, "send"), text)
            connected = True  # said once
        connected = "connect" in step or (connected and not step.get("close"))
    return connected


def _says_done(pool: Table, data: Table) -> bool:
    return any(isinstance(table.get("measure"), dict) and "done" in table["measure"] for table in (pool, data))


def _unanswered(pool: Table, loc: Loc) -> Iterator[Fault]:
    for place, step in steps_of(pool, loc):
        if "send" in step and "expect" not in step and step.get("wait") is not False and "dialect" not in step:
            text = "its answer would never end: write expect, or done in [measure], or wait = false, or a dialect"
            yield Fault((*place, "send"), text)


def _length(stages: Any) -> float:
    """Return the seconds of some stages; nan if one cannot be read, which makes every comparison false."""
    return sum((seconds(stage.get("duration")) for stage in tables(stages)), 0.0)
