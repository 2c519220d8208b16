"""``python -m tests.pages``: write the generated parts of the reference and of the README anew."""

from __future__ import annotations

from pathlib import Path

from tests.pages.generated import filled

ROOT = Path(__file__).resolve().parents[2]
FILES = (*sorted((ROOT / "agenttop" / "explain" / "pages").glob("*.md")), ROOT / "README.md")


def main() -> None:
    """Write what has changed, and name it."""
    for path in FILES:
        before = path.read_text(encoding="utf-8")
        after = filled(before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
