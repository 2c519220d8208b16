"""Tests of the tests: every module says by name where it is tested, and every name said is that of a module.

A module ``agenttop/x/y.py`` is tested in ``tests/x/test_y.py``, or in a test module whose docstring begins with
``Tests of agenttop.x.y, …``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Modules that no test need name, and why.
EXCEPTIONS = {
    "agenttop.__main__": "python -m agenttop: all tests of whole runs begin with it",
}
_CLAIM = re.compile(r"Tests? of (agenttop[\w.]*(?:,? (?:and )?agenttop[\w.]*)*)")


def modules() -> set[str]:
    """All modules of the program but the packages' own."""
    paths = (ROOT / "agenttop").rglob("*.py")
    return {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths if path.name != "__init__.py"}


def claimed(docstring: str) -> set[str]:
    """The modules that a test module says it tests, in the first paragraph of its docstring."""
    found = _CLAIM.match(" ".join(docstring.split("\n\n")[0].split()))
    return {name.rstrip(".") for name in re.findall(r"agenttop[\w.]*", found[1])} if found else set()


@cache
def claims() -> Mapping[str, set[str]]:
    """By module: the test files that name it."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        name, text = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        if not _CLAIM.search(" ".join(text.split())):
            continue  # parsing takes long, and most say nothing
        for module in claimed(ast.get_docstring(ast.parse(text)) or ""):
            found.setdefault(module, set()).add(name)
    return found


def mirror(module: str) -> Path:
    """Where the tests of a module are when nothing else is said; ``json_`` is a name that Python has taken."""
    *rooms, name = module.split(".")[1:]
    return ROOT.joinpath("tests", *rooms, f"test_{name.strip('_')}.py")


def test_every_module_is_named_by_a_test() -> None:
    named = set(claims())
    missing = {
        module
        for module in modules()
        if module not in named and module not in EXCEPTIONS and not mirror(module).exists()
    }
    assert not missing, (
        f"no test names {', '.join(sorted(missing))}: add tests/x/test_y.py, "
        "or begin the docstring of the test that covers it with 'Tests of agenttop.x.y.'"
    )


def test_no_name_is_of_a_module_that_is_gone() -> None:
    packages = {f"agenttop.{path.name}" for path in (ROOT / "agenttop").iterdir() if path.is_dir()}
    gone = {name: sorted(files) for name, files in claims().items() if name not in modules() | packages}
    assert gone == {}
    assert set(EXCEPTIONS) <= modules()


def test_what_a_first_line_says_is_read() -> None:
    assert claimed("Tests of agenttop.a.b: what it does.\n\nTests of agenttop.c.") == {"agenttop.a.b"}
    assert claimed("Tests of agenttop.a.b, agenttop.a.c\nand agenttop.d.") == {
        "agenttop.a.b",
        "agenttop.a.c",
        "agenttop.d",
    }
    assert claimed("What agenttop.a.b does.") == set()
