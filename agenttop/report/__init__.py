"""Reports of a finished run in words and files, made of its summary alone, so that they can be made long afterwards."""
