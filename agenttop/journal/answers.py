"""Writes and reads the graded answers of a run: ``answers.jsonl`` beside its journal, an answer a line.

Each line is the JSON of :class:`agenttop.quality.answer.Answer`. A last line that is torn, as a killed controller
leaves it, is not read. What is written has its secrets masked before it gets here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec

from agenttop.quality.answer import Answer

FILE_NAME = "answers.jsonl"
#: Bytes that stay free on the disk: the journal and the summary need room more.
KEPT_FREE = 64 << 20

_encoder = msgspec.json.Encoder()
_decode = msgspec.json.Decoder(Answer).decode


class AnswersError(ValueError):
    """A line is no answer; the message names file and line."""


class AnswersWriter:
    """Writes the answers of one run, as long as there is room.

    Args:
        directory: of the run.
        kept_free: bytes of the disk that are left alone.
    """

    def __init__(self, directory: str | os.PathLike[str], kept_free: int = KEPT_FREE) -> None:
        self.path = Path(directory) / FILE_NAME
        self._kept_free = kept_free
        self._file: IO[bytes] | None = None
        self.unwritten = 0
        """How many could not be written …"""
        self.why = ""
        """… and why the last of them could not."""

    def append(self, answers: Iterable[Answer]) -> None:
        """Append answers, all or none of them; never raises for a disk: see :attr:`unwritten`."""
        answers = list(answers)
        data = b"".join(_encoder.encode(answer) + b"\n" for answer in answers)
        try:
            if self._file is None:
                # Unbuffered: a line is in the kernel's hands when write returns, and survives the process.
                self._file = self.path.open("ab", buffering=0)
            if shutil.disk_usage(self.path).free < self._kept_free + len(data):
                raise OSError(0, f"less than {self._kept_free >> 20} MiB of the disk would be left free")
            self._write(self._file, data)
        except OSError as error:
            self.unwritten += len(answers)
            self.why = error.strerror or str(error)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @staticmethod
    def _write(file: IO[bytes], data: bytes) -> None:
        """Write all of it, or leave the file as it was."""
        end = file.seek(0, os.SEEK_END)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            file.truncate(end)
            raise


def read_answers(path: str | os.PathLike[str]) -> Iterator[Answer]:
    """Yield the answers of a file, or of a run's directory, in the order in which they came.

    Raises:
        OSError: it cannot be read.
        AnswersError: a line is no answer.
    """
    place = Path(path)
    place = place / FILE_NAME if place.is_dir() else place
    with place.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                yield _decode(line)
            except msgspec.DecodeError as error:
                if not line.endswith(b"\n"):
                    return  # torn
                raise AnswersError(f"{place}:{number}: not an answer: {error}") from None
            except (UnicodeDecodeError, RecursionError):
                raise AnswersError(f"{place}:{number}: not an answer") from None
