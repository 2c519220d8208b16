"""Figures: outcomes, recorder, histograms, aggregate, snapshots. Fed values; no I/O, no profile, no thresholds."""
