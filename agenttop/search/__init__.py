"""The algorithm of a search for capacity: levels, when one can be judged, and how surely. Pure: no clock, no
metrics.
"""
