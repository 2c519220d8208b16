"""The figures of a run while it goes, for other people's dashboards: made of sums and snapshots, not of requests."""
