"""Textual widgets that hold what panes draw. They know a pane's lines, never a run."""
