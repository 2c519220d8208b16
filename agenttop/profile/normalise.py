"""Converts the file's short forms to the model's one form: a task that is its own step, ``post = "/path"``, …

Every table is taken twice, with its secrets and without: names come from the second, since they are shown everywhere.
"""

from __future__ import annotations

from typing import Any

from agenttop.profile.keys import SOCKET_ACTIONS, STEP_KEYS, TASK_KEYS, VERBS
from agenttop.profile.problems import Fault, Loc, shown
from agenttop.schedule.quantities import MAX_NAME

Table = dict[str, Any]

_ACTIONS = "get, post, put, patch, delete, connect, send, close"


class Normaliser:
    """Converts one file to what :class:`~agenttop.profile.model.Profile` takes, and keeps the faults."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def profile(self, raw: Table, masked: Table) -> Table:
        """Return the whole file, normalised."""
        data = self._named(raw, masked)
        if isinstance(data.get("pools"), list):
            data["pools"] = [
                self._pool(pool, seen, ("pools", index)) if isinstance(pool, dict) else pool
                for index, (pool, seen) in enumerate(zip(raw["pools"], masked["pools"], strict=True))
            ]
        if isinstance(data.get("thresholds"), list):
            data["thresholds"] = self._thresholds(raw["thresholds"], masked["thresholds"])
        if isinstance(data.get("stages"), list):
            data["stages"] = self._stages(raw["stages"], masked["stages"])
        elif "stages" not in data and "users" in data and "duration" in data:
            data["stages"] = [{"duration": data["duration"], "users": data["users"], "ramp": "step"}]
        return data

    def _fault(self, loc: Loc, message: str) -> None:
        self.faults.append(Fault(loc, message))

    @staticmethod
    def _named(raw: Table, masked: Table) -> Table:
        """Return the table with its name as it is shown."""
        return {key: masked[key] if key == "name" else value for key, value in raw.items()}

    def _thresholds(self, raw: list[Any], masked: list[Any]) -> list[Any]:
        """Return each threshold as a table; what is neither table nor text is a fault."""
        for index, (item, seen) in enumerate(zip(raw, masked, strict=True)):
            if not isinstance(item, str | dict):
                text = f'expected text such as "latency p95 < 2s", or a table, not {shown(seen)}'
                self._fault(("thresholds", index), text)
        return [{"expression": item} if isinstance(item, str) else item for item in raw]

    def _stages(self, raw: list[Any], masked: list[Any]) -> list[Any]:
        return [
            {**stage, "name": seen["name"]} if isinstance(stage, dict) and "name" in stage else stage
            for stage, seen in zip(raw, masked, strict=True)
        ]

    def _pool(self, raw: Table, masked: Table, loc: Loc) -> Table:
        data = self._named(raw, masked)
        for key in ("setup", "teardown"):
            if isinstance(data.get(key), list):
                data[key] = self._steps(raw[key], masked[key], (*loc, key), "")
        if isinstance(data.get("tasks"), list):
            data["tasks"] = [
                self._task(task, seen, (*loc, "tasks", index)) if isinstance(task, dict) else task
                for index, (task, seen) in enumerate(zip(raw["tasks"], masked["tasks"], strict=True))
            ]
        if isinstance(data.get("stages"), list):
            data["stages"] = self._stages(raw["stages"], masked["stages"])
        return data

    def _task(self, raw: Table, masked: Table, loc: Loc) -> Table:
        data = self._named(raw, masked)
        name = data["name"] if isinstance(data.get("name"), str) else ""
        if "steps" in data:
            checks = data.pop("checks", None)
            for key in [key for key in data if key in STEP_KEYS and key not in TASK_KEYS]:
                self._fault((*loc, key), "a task with steps holds no request of its own; move it into a step")
                del data[key]
            if isinstance(data["steps"], list):
                steps = self._steps(raw["steps"], masked["steps"], (*loc, "steps"), name)
                data["steps"] = steps if checks is None else [_checked(step, checks) for step in steps]
        else:
            step = {key: raw[key] for key in data if key in STEP_KEYS}
            for key in step:
                if key != "name":
                    del data[key]
            data["steps"] = [self._step(step, masked, loc, name)]
        if not name and "name" not in data:
            steps = data["steps"]
            only = steps[0] if isinstance(steps, list) and len(steps) == 1 and isinstance(steps[0], dict) else {}
            data["name"] = only.get("name") or f"task {int(loc[-1]) + 1}"
        return data

    def _steps(self, raw: list[Any], masked: list[Any], loc: Loc, task: str) -> list[Any]:
        return [
            self._step(step, seen, (*loc, index), task) if isinstance(step, dict) else step
            for index, (step, seen) in enumerate(zip(raw, masked, strict=True))
        ]

    def _step(self, raw: Table, masked: Table, loc: Loc, task: str) -> Table:
        data = self._named(raw, masked)
        actions = [key for key in (*VERBS, *SOCKET_ACTIONS) if key in data and not (key == "close" and not data[key])]
        if len(actions) > 1:
            self._fault(loc, f"a step is one thing only, and this has {' and '.join(actions)}")
        elif not actions:
            also = ", or a list of steps" if len(loc) > 1 and loc[-2] == "tasks" else ""
            self._fault(loc, f"nothing to do here; write one of {_ACTIONS}{also}")
        for key in ("method", "path"):
            if key in data:
                del data[key]
                self._fault((*loc, key), 'unknown key; write the method as the key, such as post = "/path"')
        for verb in VERBS:
            if verb in data:
                path = data.pop(verb)
                self._path(path, masked[verb], (*loc, verb))
                if isinstance(path, str) and "method" not in data:
                    data["method"], data["path"] = verb.upper(), path
        if "connect" in data:
            self._path(data["connect"], masked["connect"], (*loc, "connect"))
            if not isinstance(data["connect"], str):
                del data["connect"]
        if not data.get("name"):
            data["name"] = _row(data, masked, task)
        return data

    def _path(self, path: Any, visible: Any, loc: Loc) -> None:
        if not isinstance(path, str):
            self._fault(loc, f'expected a path such as "/api/sessions", not {shown(visible)}')
        elif not path.startswith("/"):
            hint = "; the host belongs in target" if "://" in path else ""
            self._fault(loc, f'expected a path that begins with "/", not {shown(visible)}{hint}')
        elif not path.isprintable():
            self._fault(loc, f"a path cannot hold control characters: {shown(visible)}")
        elif "#" in path:
            self._fault(loc, "a path has no #fragment; write %23 for the character")


def _checked(step: Any, checks: Any) -> Any:
    """Return a step with its task's checks, which are made on the answer of each; of two of one name the step's own
    wins.
    """
    if not isinstance(step, dict) or "connect" in step or step.get("close") or step.get("wait") is False:
        return step
    own = step.get("checks", {})
    both = {**checks, **own} if isinstance(checks, dict) and isinstance(own, dict) else own or checks
    return {**step, "checks": both}


def _row(step: Table, masked: Table, task: str) -> str:
    """Return the name a step is counted under if it has none of its own."""
    if "method" in step:
        return f"{step['method']} {masked[step['method'].lower()]}"[:MAX_NAME]
    if "connect" in step:
        return f"CONNECT {masked['connect']}"[:MAX_NAME]
    if step.get("close"):
        return "close"
    return task or "send"
