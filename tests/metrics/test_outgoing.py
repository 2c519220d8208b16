"""A delta holds no secret, whichever text of it somebody else made."""

from __future__ import annotations

from array import array
from typing import Any

from msgspec import inspect

from agenttop.metrics.catalogue import PHASE, PHASE_SHARE
from agenttop.metrics.delta import Delta, ErrorDelta, Health, LeafDelta, Network, PoolState, QuotaState
from agenttop.metrics.histogram import fold
from agenttop.metrics.outgoing import outgoing
from agenttop.metrics.safe_text import SafeText

KEY = "sk-0123456789"
#: Texts that are ours alone: names of outcomes, counters and violations, ids of traces, network interfaces.
OURS = {"ErrorDelta.outcome", "LeafDelta.outcomes", "LeafDelta.sums", "SlowRequest.trace_id", "Network.nic"}


def filled(kind: inspect.Type, where: str) -> Any:
    """A value of a type, with the key in each of its texts."""
    if isinstance(kind, inspect.StructType | inspect.NamedTupleType):
        return kind.cls(*(filled(field.type, f"{kind.cls.__name__}.{field.name}") for field in kind.fields))
    if isinstance(kind, inspect.UnionType):
        return filled(next(each for each in kind.types if not isinstance(each, inspect.NoneType)), where)
    if isinstance(kind, inspect.ListType):
        return [filled(kind.item_type, where)]
    if isinstance(kind, inspect.VarTupleType):
        return (filled(kind.item_type, where),)
    if isinstance(kind, inspect.TupleType):
        return tuple(filled(each, where) for each in kind.item_types)
    if isinstance(kind, inspect.DictType):
        if where == "LeafDelta.hists":
            return {prefix + KEY: fold(array("q", [1000])) for prefix in (PHASE, PHASE_SHARE)}
        return {filled(kind.key_type, where): filled(kind.value_type, where)}
    if isinstance(kind, inspect.StrType):
        return "ours" if where in OURS else f"a {KEY}\x1b[31m"
    return {inspect.IntType: 1, inspect.FloatType: 1.0, inspect.BoolType: True, inspect.BytesType: b""}[type(kind)]


def test_no_text_of_any_field_keeps_a_secret() -> None:
    delta = filled(inspect.type_info(Delta), "")
    assert KEY in repr(delta)
    said = repr(outgoing(delta, SafeText([KEY])))
    assert KEY not in said
    assert "\\x1b" not in said


def test_what_becomes_one_is_counted_together() -> None:
    hists = {f"{PHASE}{KEY}": fold(array("q", [1000])), f"{PHASE}{KEY.upper()}": fold(array("q", [2000, 3000]))}
    leaf = LeafDelta(0, 0, {}, {}, {**hists, "latency": fold(array("q", [1]))}, {})
    delta = Delta(0, 1, 1.0, [leaf], [], [], {KEY: (1, 2), KEY.upper(): (3, 4), "a  b": (1, 0)}, [], 0.0, health())
    safe = outgoing(delta, SafeText([KEY]))
    assert {name: hist.count for name, hist in safe.leaves[0].hists.items()} == {f"{PHASE}***": 3, "latency": 1}
    assert safe.checks == {"***": (4, 6), "a  b": (1, 0)}


def test_what_holds_none_is_the_same() -> None:
    quota = QuotaState("tokens", 1, 1, 1, 0.0)
    errors = [ErrorDelta(0, 0, "server_error", "500 Oops", 1, 0.0, 0.0)]
    leaf = LeafDelta(0, 0, {}, {}, {f"{PHASE}tool": fold(array("q", [1000]))}, {})
    states = [PoolState(0, 1, 1, ("a.csv",), False, ("a note",), (quota,)), PoolState(1, 1, 1)]
    delta = Delta(0, 1, 1.0, [leaf], [], errors, {"a check": (1, 0)}, states, 0.0, health())
    assert outgoing(delta, SafeText([KEY])) == delta


def health() -> Health:
    return Health(None, 1.0, 1.0, 1, network=Network(1, 1, 1))


def test_words_of_a_failure_are_made_safe_and_the_rest_of_it_stays() -> None:
    error = ErrorDelta(4, 5, "server_error", f"no {KEY}", 6, 7.0, 8.0)
    turn = Health(None, 1.0, 1.0, 1, longest_turn_ms=200.0, turn_of=KEY)
    quota = QuotaState(f"q {KEY} " + "x" * 90, 2, 1, 1, 3.0)
    states = [
        PoolState(0, 1, 2, used_up=(KEY,)),
        PoolState(1, 1, 2, notes=(f"a {KEY}",), over=True),
        PoolState(2, 1, 2, quotas=(quota,)),
    ]
    delta = Delta(0, 1, 1.0, [], [], [error], {}, states, 0.0, turn, addresses={f"{KEY}:80": 3})
    safe = outgoing(delta, SafeText([KEY]))
    assert safe.errors == [ErrorDelta(4, 5, "server_error", "no ***", 6, 7.0, 8.0)]
    assert (safe.health.turn_of, safe.health.longest_turn_ms, safe.addresses) == ("***", 200.0, {"***:80": 3})
    assert safe.states[0] == PoolState(0, 1, 2, used_up=("***",))
    assert safe.states[1] == PoolState(1, 1, 2, notes=("a ***",), over=True)
    name = safe.states[2].quotas[0].name
    assert (len(name), name[:7]) == (60, "q *** x")


def test_names_of_phases_are_short_and_checks_keep_theirs() -> None:
    hists = {f"{prefix}{'y' * 61}": fold(array("q", [1])) for prefix in (PHASE, PHASE_SHARE)}
    leaf = LeafDelta(0, 0, {"ok": 1}, {200: 1}, hists, {"attempts": 1}, 9)
    checks = {"a  " + "z" * 400: (1, 0), "tab\tin it": (2, 0), "tab in it": (0, 3)}
    safe = outgoing(Delta(0, 1, 1.0, [leaf], [], [], checks, [], 0.0, health()), SafeText([KEY]))
    assert set(safe.leaves[0].hists) == {prefix + "y" * 59 + "…" for prefix in (PHASE, PHASE_SHARE)}
    assert (safe.leaves[0].sums, safe.leaves[0].mark) == ({"attempts": 1}, 9)
    assert safe.checks == {"a  " + "z" * 400: (1, 0), "tab in it": (2, 3)}
