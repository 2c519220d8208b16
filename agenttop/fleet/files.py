"""The files that a profile names: each box gets a copy, in the folder of its run, and a profile that names those."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from agenttop.profile.model import CheckedData, Data, Pool, Profile
from agenttop.profile.script import ScriptedPool


def carried(profile: Profile, folder: str) -> tuple[Profile, dict[str, bytes]]:
    """Return a loaded profile whose files are in ``folder``, and what is to be written there, by path.

    Raises:
        OSError: one of them cannot be read.
    """
    copies: dict[str, str] = {}
    contents: dict[str, bytes] = {}

    def there(path: str) -> str:
        if path not in copies:
            copies[path] = f"{folder}/{len(copies)}-{Path(path).name}"
            contents[copies[path]] = Path(path).read_bytes()
        return copies[path]

    def data(found: Data | None) -> Data | None:
        return found.model_copy(update={"file": there(found.file)}) if isinstance(found, CheckedData) else found

    def pool(found: Pool) -> Pool:
        changes: dict[str, Any] = {
            "data": data(found.data),
            "tasks": [task.model_copy(update={"data": data(task.data)}) for task in found.tasks],
        }
        if isinstance(found, ScriptedPool):
            changes["script"] = replace(found.script, file=there(found.script.file))
        return found.model_copy(update=changes)

    files = {key: there(path) for key in ("ca", "cert", "key") if (path := getattr(profile.tls, key)) is not None}
    tls = profile.tls.model_copy(update=files)
    return profile.model_copy(update={"tls": tls, "pools": [pool(each) for each in profile.pools]}), contents
