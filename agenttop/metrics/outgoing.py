"""Every text of a delta that somebody else made goes through the door before the delta leaves its worker."""

from __future__ import annotations

from msgspec.structs import replace

from agenttop.metrics.catalogue import PHASE, PHASE_SHARE
from agenttop.metrics.delta import Delta, ErrorDelta, HistDelta, LeafDelta, PoolState
from agenttop.metrics.histogram import merge
from agenttop.metrics.safe_text import MASK, SafeText

#: Letters of a name that a target made up.
MAX_NAME = 60


def outgoing(delta: Delta, safe: SafeText) -> Delta:
    """The delta with every phase, check, limit, message and note made safe. What two names have become one of is
    counted under that.
    """
    checks: dict[str, tuple[int, int]] = {}
    for name, (passed, failed) in delta.checks.items():
        shown = safe(name)
        if MASK not in shown and name.isprintable():
            shown = name  # as the profile writes it, whatever spaces are in it
        before = checks.get(shown, (0, 0))
        checks[shown] = (before[0] + passed, before[1] + failed)
    return replace(
        delta,
        leaves=[_leaf(leaf, safe) for leaf in delta.leaves],
        errors=[_error(error, safe) for error in delta.errors],
        checks=checks,
        states=[_state(state, safe) for state in delta.states],
        health=replace(delta.health, turn_of=safe(delta.health.turn_of)) if delta.health.turn_of else delta.health,
        addresses={safe(address): count for address, count in delta.addresses.items()},
    )


def _leaf(leaf: LeafDelta, safe: SafeText) -> LeafDelta:
    """Phases are the target's; all other names are ours."""
    names = {}
    for name in leaf.hists:
        prefix = PHASE if name.startswith(PHASE) else PHASE_SHARE if name.startswith(PHASE_SHARE) else ""
        if prefix and (phase := prefix + safe(name.removeprefix(prefix), MAX_NAME)) != name:
            names[name] = phase
    if not names:
        return leaf
    hists: dict[str, list[HistDelta]] = {}
    for name, hist in leaf.hists.items():
        hists.setdefault(names.get(name, name), []).append(hist)
    return replace(leaf, hists={name: parts[0] if len(parts) == 1 else merge(parts) for name, parts in hists.items()})


def _error(error: ErrorDelta, safe: SafeText) -> ErrorDelta:
    message = safe(error.message)
    return error if message == error.message else replace(error, message=message)


def _state(state: PoolState, safe: SafeText) -> PoolState:
    if not state.notes and not state.quotas and not state.used_up and not state.matched:
        return state
    return replace(
        state,
        used_up=tuple(safe(name) for name in state.used_up),
        notes=tuple(safe(note) for note in state.notes),
        matched=tuple(safe(key) for key in state.matched),
        quotas=tuple(replace(quota, name=safe(quota.name, MAX_NAME)) for quota in state.quotas),
    )
