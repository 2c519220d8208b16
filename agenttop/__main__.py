"""``python -m agenttop``."""

from agenttop.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
