"""Grading that is not pure: a judge that is asked over the network, users' own graders in a process of their own. The
rest of it is in ``quality/``.
"""
