"""The sixty-second answer: finds how a target is asked, by a few requests, and says in words what a run of it found.
Only ``prober`` does I/O.
"""
