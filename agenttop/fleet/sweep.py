"""``python -m agenttop.fleet.sweep PID FOLDER``: ends what is left of a box, and removes its folder.

Only processes of this program in the process group of its agent: a number may be somebody else's by now. Every run ends
with it on every box, so it imports nothing that takes long.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

import psutil

#: What the folder of a run is called on a box, before a random part.
FOLDER = "agenttop-box-"


def sweep(group: int, folder: str) -> list[int]:
    """Kill what is left of a process group of ours, and remove a folder of ours; return who was killed."""
    killed = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            ours = process.pid != os.getpid() and os.getpgid(process.pid) == group
            if ours and any("agenttop." in word for word in process.cmdline()):
                process.kill()
                killed.append(process.pid)
    path = Path(folder)
    if path.name.startswith(FOLDER) and path.parent == Path(tempfile.gettempdir()) and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    return killed


if __name__ == "__main__":
    sweep(int(sys.argv[1]), sys.argv[2])
