"""A finished run in words and files, made of its summary alone, so that it can be made long after the run."""
