"""Packages of the extra ``agenttop[quality]``, which the base install does without."""

from __future__ import annotations

import importlib
from typing import Any

INSTALL = "pip install 'agenttop[quality]'"


class MissingPackage(Exception):
    """A package of the extra is not installed; the message is one line with the remedy."""


def needed(module: str, what: str) -> Any:
    """Return a module of the extra; ``what`` needs it, in words such as ``cases in YAML``.

    Raises:
        MissingPackage: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        name = module.partition(".")[0]
        raise MissingPackage(f"{what} need {name}, which is not installed: {INSTALL}") from None
