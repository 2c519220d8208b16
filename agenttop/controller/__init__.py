"""The process that owns one run: its states, and what it alone decides. Workers by messages, viewers by a socket."""
