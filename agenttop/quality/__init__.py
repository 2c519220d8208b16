"""Quality: cases, graders, scores, and whether answers get worse as users are added or builds change. Pure: no I/O, no
clock.
"""
