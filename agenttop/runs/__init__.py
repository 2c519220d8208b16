"""The runs of this machine: list them, find the one that is meant, speak to one, remove old ones. Nothing is driven
from here.
"""
