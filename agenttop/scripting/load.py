"""Loads a user's file as a module, and describes its class, or finds a function in it."""

from __future__ import annotations

import difflib
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from agenttop.schedule.quantities import MAX_NAME
from agenttop.scripting.place import place_of, words_of
from agenttop.scripting.user import MARK, Mark, User

_loaded: dict[tuple[str, str], ModuleType] = {}


class ScriptError(Exception):
    """A file or a class cannot be used. ``place`` is the line it is about, ``my_agent.py:17``, if there is one."""

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.place = place


def load_function(file: str, name: str) -> Callable[..., Any]:
    """Return a function of a file, which is executed once in a process as long as it stays the same.

    Raises:
        OSError: the file cannot be read.
        ScriptError: it cannot be imported, or has no such function.
    """
    source = Path(file).read_bytes()
    found = vars(_executed(file, source)).get(name)
    if not callable(found):
        known = [key for key, value in vars(_executed(file, source)).items() if inspect.isfunction(value)]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f'; did you mean "{close[0]}"?' if close else f" (it has {', '.join(known)})" if known else ""
        raise ScriptError(f"{Path(file).name} has no function {name}{hint}")
    function: Callable[..., Any] = found
    return function


def load_class(file: str, name: str, sha256: str = "") -> type[User]:
    """Return the class of a file. Each file is executed once in a process; its folder can be imported from.

    Args:
        file: absolute path.
        name: of the class.
        sha256: of the bytes that the file must be; empty: any.

    Raises:
        OSError: the file cannot be read.
        ScriptError: it is another file by now, cannot be imported, or has no such class.
    """
    source = Path(file).read_bytes()
    if sha256 and hashlib.sha256(source).hexdigest() != sha256:
        raise ScriptError(f"{Path(file).name} is not what it was when the profile was checked; start the run again")
    module = _executed(file, source)
    found = vars(module).get(name)
    shown = Path(file).name
    if found is None:
        classes = [key for key, value in vars(module).items() if _is_user(value)]
        close = difflib.get_close_matches(name, classes, n=1)
        hint = f'; did you mean "{close[0]}"?' if close else f" (it has {', '.join(classes)})" if classes else ""
        raise ScriptError(f"{shown} has no class {name}{hint}")
    if not _is_user(found):
        raise ScriptError(f"{name} is no user; write class {name}(User), with User from agenttop.scripting")
    user: type[User] = found
    return user


def _executed(file: str, source: bytes) -> ModuleType:
    """Return the file as a module; it is executed where it was not yet, or is another one by now."""
    key = (file, hashlib.sha256(source).hexdigest())
    module = _loaded.get(key)
    if module is None:
        module = _loaded[key] = _module(file, source)
    return module


def _is_user(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, User) and value is not User


def _module(file: str, source: bytes) -> ModuleType:
    """Execute the file as a module: exactly these bytes, whatever is on the disk by now."""
    path = Path(file)
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    # Not over a module that others have imported, or will: a file may be called json.py.
    name = path.stem if path.stem not in sys.modules and path.stem not in sys.stdlib_module_names else f"{path.stem}_"
    module = ModuleType(name)
    module.__file__ = file
    sys.modules[name] = module
    try:
        exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
    except BaseException as error:  # sys.exit() among them: it is a file's mistake, not our end
        del sys.modules[name]
        place = place_of(error, file)
        if isinstance(error, SyntaxError):
            raise ScriptError(f"not Python: {error.msg}", place) from error
        raise ScriptError(f"importing it raised {words_of(error)}", place or path.name) from error
    return module


def tasks_of(user: type[User]) -> dict[str, Mark]:
    """Return the tasks of a class by method, those of its bases first. One that is overridden without ``@task`` is
    none.
    """
    names = dict.fromkeys(name for base in reversed(user.__mro__) for name in vars(base))
    marks = {name: getattr(getattr(user, name, None), MARK, None) for name in names}
    return {name: mark for name, mark in marks.items() if isinstance(mark, Mark)}


def describe(user: type[User]) -> dict[str, Any]:
    """Return what a profile has to know of a class, ready for JSON.

    That is ``tasks`` (method, row, weight), ``setup`` and ``teardown`` (whether it has them), ``requests``, and what is
    wrong with it as ``faults``.
    """
    tasks = tasks_of(user)
    faults = list(_faults(user, tasks))
    return {
        "tasks": [[name, mark.name or name, mark.weight] for name, mark in tasks.items()],
        "setup": user.setup is not User.setup,
        "teardown": user.teardown is not User.teardown,
        "requests": [] if faults else list(user.requests),
        "faults": faults,
    }


def _faults(user: type[User], tasks: dict[str, Mark]) -> Iterator[str]:
    if not tasks:
        yield f"{user.__name__} has no tasks; write @task above at least one of its async methods"
    elif not any(mark.weight for mark in tasks.values()):
        yield f"the weights of all tasks of {user.__name__} are zero, so that none would ever be chosen"
    for name in dict.fromkeys(("setup", *tasks, "teardown")):
        if not inspect.iscoroutinefunction(getattr(user, name)):
            yield f"{user.__name__}.{name} is no async function; write async def {name}(self)"
        elif name in ("setup", "teardown") and name in tasks:
            yield f"{user.__name__}.{name} is a hook and no task; leave @task out"
    requests: Any = user.requests
    if not isinstance(requests, tuple | list) or not all(isinstance(name, str) for name in requests):
        yield f'requests of {user.__name__} is no list of names; write requests = ("ask", "pay")'
        return
    for name in (*requests, *(mark.name for mark in tasks.values() if mark.name is not None)):
        if not isinstance(name, str) or not name or len(name) > MAX_NAME or not name.isprintable():
            yield f"a row of {user.__name__} has no name of one line and 1 to {MAX_NAME} characters"
