"""agenttop: load-test AI agents from a terminal."""

__version__ = "0.1.0"
