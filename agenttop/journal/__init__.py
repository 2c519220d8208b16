"""What a run leaves behind: journal, refold, summary, replay, and the plan that repeats it. No process, no socket."""
