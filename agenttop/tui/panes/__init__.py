"""One pane a file: a function of a view, a width and a height to lines. `table.py` names them all; no app, no I/O."""
