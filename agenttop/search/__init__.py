"""Which level comes next, when one can be judged, and how surely. Pure: no clock, no loop, no metrics."""
