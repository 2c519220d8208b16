"""What a run has left behind: written second by second, folded again, summarised, replayed. No process, no socket."""
