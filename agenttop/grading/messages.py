"""The messages between a controller and its grader process: lines of JSON, over its standard input and output."""

from __future__ import annotations

import msgspec

from agenttop.grading.judge_endpoint import JudgeSettings
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.curve import JudgeUse
from agenttop.quality.score import Score


class StepGraders(msgspec.Struct, frozen=True):
    """Graders of one step of a conversation."""

    pool: str
    task: str
    step: int
    graders: tuple[GraderSpec, ...]


class Begin(msgspec.Struct, tag="begin", frozen=True):
    """To the grader: what it grades by. Answered by :class:`Ready`."""

    cases: tuple[Case, ...]
    answers: str
    """Path of the file that answers are appended to, a line each."""
    folder: str = ""
    """The folder that users' graders are relative to."""
    pass_at: float = 1.0
    live: bool = True
    """Grade while the load goes on."""
    judge_live: bool = False
    """Ask the judge meanwhile, too."""
    judge: JudgeSettings | None = None
    """Its key included: it goes over a pipe to a process of our own."""
    labels: str = ""
    """Path of answers that people have scored, which the judge is held against; empty: none."""
    cache: str = ""
    """Where the judge's verdicts are kept; empty: nowhere."""
    steps: tuple[StepGraders, ...] = ()
    skip: tuple[int, ...] = ()
    """Lines that have a score already: another grader was here before."""


class Written(msgspec.Struct, tag="written", frozen=True):
    """To the grader: so many lines of the file are whole."""

    lines: int


class Finish(msgspec.Struct, tag="finish", frozen=True):
    """To the grader: no more answers come; grade what was put off, then end."""

    lines: int
    wait_s: float | None = None
    """After so many seconds no judge and no function of users is asked any more; None: they are waited for …"""
    why: str = ""
    """… and why, in words: the reason of what is ungraded."""


class Ready(msgspec.Struct, tag="ready", frozen=True):
    """From the grader: it has read its cases and loaded its graders."""


class Graded(msgspec.Struct, tag="graded", frozen=True):
    """From the grader: scores, by the line of the answer (from 0), and what the judge has done so far. Without a score
    it says that the grader is there.
    """

    scores: dict[int, Score]
    judge: JudgeUse | None = None


class Finished(msgspec.Struct, tag="finished", frozen=True):
    """From the grader: every line has its score."""


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """From the grader: it cannot go on."""

    message: str


ToGrader = Begin | Written | Finish
FromGrader = Ready | Graded | Finished | Failed

_encoder = msgspec.json.Encoder()
to_grader: msgspec.json.Decoder[ToGrader] = msgspec.json.Decoder(ToGrader)
from_grader: msgspec.json.Decoder[FromGrader] = msgspec.json.Decoder(FromGrader)


def line(message: ToGrader | FromGrader) -> bytes:
    """Return a message as a line."""
    return _encoder.encode(message) + b"\n"
