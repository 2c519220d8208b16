"""Says in words whether the target keeps up, at what load it stops to, and why: figures of seconds in, a sentence out.
No clock, no I/O, nothing of a run but its figures.
"""
