"""Finds the profiles that are shipped; light to import."""

from __future__ import annotations

from pathlib import Path

import agenttop
from agenttop.exits import UsageError


def builtin_profile(name: str) -> Path:
    """Return the path of a profile that is shipped: in the package, or beside it in a checkout.

    Raises:
        UsageError: it is in neither place.
    """
    package = Path(agenttop.__file__).parent
    for place in (package / "profiles", package.parent / "profiles"):
        if (place / name).is_file():
            return place / name
    raise UsageError(f"the profile {name} is not installed")
