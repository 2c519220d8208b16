"""The specification of one run, handed to its controller over a pipe and never written to a disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from agenttop.metrics.boxes import BoxInfo
from agenttop.profile.fleet import Host
from agenttop.profile.model import Profile


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One run to be started. ``masked`` is the profile as it may be shown."""

    run_id: str
    directory: str
    profile: Profile
    profile_name: str
    masked: dict[str, Any]
    secrets: tuple[str, ...]
    sha256: str
    warnings: tuple[str, ...] = ()
    workers: int = 1
    limit_s: float | None = None
    """The run ends after so many seconds, whatever the plan says."""
    armed: bool = False
    """The run waits for ``start`` when its workers are up."""
    out: str | None = None
    """A further path for the summary."""
    reports: tuple[str, ...] = ()
    """Paths that the run is written to at its end, in the format that the ending of each chooses."""
    references: tuple[tuple[tuple[str | int, ...], str], ...] = ()
    """Where the profile has ``${NAME}``, and the text around it."""
    prometheus: tuple[str, int] | None = None
    """Host and port at which its figures are served while it goes; None: they are not."""
    bases: tuple[dict[str, Any], ...] = ()
    """Summaries that the profile's gate compares the run with."""
    no_base: str = ""
    """Why it has none."""
    until_s: float | None = None
    """The run goes on until its gate is decided, and lasts so long at most; None: as long as its plan."""
    folder: str = ""
    """The folder that paths in the profile are relative to; empty if it was no file."""
    fleet: FleetSpec | None = None
    """The boxes that send the load; None for this machine."""
    boxes: tuple[BoxInfo, ...] = ()
    """The same, as they are there."""

    @property
    def on_loss(self) -> str:
        """Return what happens to the users of lost workers (:attr:`FleetSpec.on_loss`)."""
        return "share" if self.fleet is None else self.fleet.on_loss


@dataclass(frozen=True, slots=True)
class FleetSpec:
    """Boxes that a run is to have."""

    hosts: tuple[Host, ...]
    python: str = "python3"
    """The interpreter on each."""
    min_hosts: int | None = None
    """How many must be there; None for all."""
    on_loss: str = "share"
    """What happens to the users of a box that is lost: ``share``, ``shrink`` or ``stop``."""
    workers: int | None = None
    """Workers of each box; None for one per core but one."""

    @property
    def least(self) -> int:
        """Return how many boxes must be there."""
        return len(self.hosts) if self.min_hosts is None else self.min_hosts
