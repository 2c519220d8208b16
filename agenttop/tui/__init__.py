"""The live screen, drawn from snapshots. Knows no controller, no worker and no wire; only here is textual imported."""
