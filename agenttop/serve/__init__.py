"""A run in a browser: the web server behind a token, and the viewer it shows. Only looks, unless told otherwise."""
