"""Small languages that people write in a profile or a case: regular expressions, JSONPath, and the name that was meant.
Pure: no I/O.
"""
