"""What holds for every test."""

from __future__ import annotations

import os

from hypothesis import settings

# The gate tries the same examples every time, so that it fails for a change and not by chance, and no example is timed:
# the machine may be busy. HYPOTHESIS=search looks for new ones, many more of them.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS", "gate"))
