"""Runs users' own graders, ``"graders.py:polite"``: functions of (answer, case), in a process of their own.

One that does not come to an end within its time is killed with its process, which begins again for the next; after
:data:`MAX_HUNG` such answers in a row the function is not asked any more. An exception is told with its place. Nothing
of it is fatal: a part without a value, and why.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from agenttop.grading.python_child import Question, Said
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.grade import part_of
from agenttop.quality.graders.base import Verdict
from agenttop.quality.problem import CaseProblem
from agenttop.quality.score import Part

#: How long one answer may take, and importing the file.
CALL_S, IMPORT_S = 5.0, 60.0
#: Answers in a row at which a function did not come to an end, before it is given up.
MAX_HUNG = 3
#: Bytes of a line between the processes; an answer has 256 Ki characters at most.
_MAX_LINE = 16 * 1024 * 1024


class PythonGraders:
    """The process with users' graders, begun when the first is asked.

    Args:
        base: the folder that the paths of case files are relative to.
        call_s: how long one answer may take.
        import_s: how long importing a file may take.
    """

    def __init__(self, base: Path | str = ".", *, call_s: float = CALL_S, import_s: float = IMPORT_S) -> None:
        self.base = Path(base)
        self.call_s, self.import_s = call_s, import_s
        self.asked = 0
        """Answers that were judged or tried."""
        self.errors = 0
        """Parts without a value."""
        self._lock = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._loaded: set[tuple[str, str]] = set()
        self._hung: Counter[tuple[str, str]] = Counter()
        self._stopped = ""

    async def grade(self, spec: GraderSpec, case: Case, answer: Answer) -> Part:
        """Return what the function says of an answer; its value is None where it cannot be told."""
        async with self._lock:
            said = await self._asked(spec, case, answer)
        self.asked += 1
        self.errors += said.value is None
        reason = said.reason or f"{spec.value} says {said.value:g}"
        return part_of(spec, Verdict(said.value, reason, reason))

    async def check(self, cases: Iterable[Case]) -> list[CaseProblem]:
        """Return what is wrong with the files and functions that cases name: each is imported once."""
        problems = []
        seen: dict[tuple[str, str], str] = {}
        for case in cases:
            for spec in case.graders:
                if spec.type != "python":
                    continue
                where = self._where(spec, case)
                if where not in seen:
                    async with self._lock:
                        said = await self._load(where)
                    seen[where] = "" if said is None else said.reason
                    if said is not None:
                        path, _, line = case.place.rpartition(":")
                        message = f'the grader "{spec.value}": {said.reason}'
                        problems.append(CaseProblem(path, int(line) if line.isdigit() else 0, case.id, message))
        return problems

    async def stop(self, why: str) -> None:
        """Ask no more: the answer under way, and all that come, have no value for this reason."""
        self._stopped = why
        await self._end()

    async def close(self) -> None:
        """End the process."""
        await self._end()

    def _where(self, spec: GraderSpec, case: Case) -> tuple[str, str]:
        name, _, function = spec.value.rpartition(":")
        folder = Path(case.place.rpartition(":")[0]).parent
        return str((self.base / folder / name).resolve()), function

    async def _asked(self, spec: GraderSpec, case: Case, answer: Answer) -> Said:
        said = await self._answered(spec, case, answer) if not self._stopped else Said()
        return Said(reason=self._stopped) if self._stopped and said.value is None else said

    async def _answered(self, spec: GraderSpec, case: Case, answer: Answer) -> Said:
        where = self._where(spec, case)
        if self._hung[where] >= MAX_HUNG:
            return Said(reason=f"{spec.value} is not asked any more: {MAX_HUNG} times it did not come to an end")
        failed = await self._load(where)
        if failed is not None:
            return failed
        said = await self._exchange(Question(*where, answer, case), self.call_s)
        if said is None:
            self._hung[where] += 1
            return Said(reason=f"{spec.value} did not come to an end within {self.call_s:g}s")
        self._hung[where] = 0
        return said

    async def _load(self, where: tuple[str, str]) -> Said | None:
        """Import the file once in this process; return what is wrong, or None."""
        if self._process is not None and self._process.returncode is not None:
            await self._end()
        if where in self._loaded:
            return None
        said = await self._exchange(Question(*where), self.import_s)
        if said is None:
            self._hung[where] += MAX_HUNG
            return Said(reason=f"importing {Path(where[0]).name} has not come to an end within {self.import_s:g}s")
        if said.value is None:
            return said
        self._loaded.add(where)
        return None

    async def _exchange(self, question: Question, limit_s: float) -> Said | None:
        """Return the answer to a question; None if there was none in time, and the process was ended."""
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(limit_s):
                process.stdin.write(msgspec.json.encode(question) + b"\n")
                await process.stdin.drain()
                line = await process.stdout.readline()
            if line.endswith(b"\n"):
                return msgspec.json.decode(line, type=Said)
        except TimeoutError:
            await self._end()
            return None
        except (ConnectionError, msgspec.DecodeError, ValueError):
            pass
        except asyncio.CancelledError:
            await self._end()  # or the next question would get this one's answer
            raise
        code = await self._end()
        return Said(reason=f"{Path(question.file).name}:{question.function} ended Python ({code})")

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            self._loaded.clear()
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "agenttop.grading.python_child",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_MAX_LINE,
                start_new_session=True,
            )
        return self._process

    async def _end(self) -> str:
        """End the process with all that it began; return how it ended by itself, in words."""
        process, self._process = self._process, None
        self._loaded.clear()
        if process is None:
            return "it was not running"
        if process.stdin is not None:
            process.stdin.close()
        code = process.returncode
        if code is None:
            with contextlib.suppress(TimeoutError):
                # One that ends by itself, as its input does, says its own code.
                async with asyncio.timeout(0.2):
                    code = await process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        return f"code {code}" if code is not None else "it was killed"


def python_graders(cases: Sequence[Case]) -> list[str]:
    """Return the graders in Python that cases have, each once."""
    return list(dict.fromkeys(spec.value for case in cases for spec in case.graders if spec.type == "python"))
