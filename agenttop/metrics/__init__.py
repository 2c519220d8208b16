"""Figures: outcomes, recorder, histograms, aggregate, snapshots. Fed values; no I/O, no profile, no thresholds."""

import os

# Whoever imports numpy comes through here first: its OpenBLAS would start a thread for every core, each with memory of
# its own, and none of what is done here is linear algebra. Who has set the number of threads is not overruled.
if not any(name in os.environ for name in ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")):
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
