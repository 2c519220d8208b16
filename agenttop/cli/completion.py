"""``agenttop completion SHELL``: what the tab key completes in bash, zsh and fish.

The shells know nothing: each calls ``agenttop completion --words WORD...`` with what has been typed, the last word as
far as it has come, and gets a candidate a line; ``:files`` instead of one stands for the files that fit. Candidates are
taken from the parsers of the commands: options, choices, and what the placeholder of an argument stands for.

It is called for every press of a key: what is slow to import is not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from agenttop.exits import DONE
from agenttop.journal.places import live_runs, name_of, runs_directory
from agenttop.view.pipes import say

#: Stands for the files that fit.
FILES = ":files"
#: What a comparison calls the newest run that is over, and the newest that passed.
LAST = ("last", "last-passed")
#: Runs that are offered where nothing of their name is typed yet.
NEWEST = 20
#: Commands that take a live run.
_LIVE = ("attach", "ctl", "serve")

_SCRIPTS = {
    "bash": """\
_agenttop() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        if [ "$line" = ":files" ]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
        else
            COMPREPLY+=("$line")
        fi
    done < <("${COMP_WORDS[0]/#\\~/$HOME}" completion --words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _agenttop agenttop
""",
    "zsh": """\
#compdef agenttop
_agenttop() {
    local line
    local -a found
    for line in "${(@f)$("${(e)words[1]/#\\~/$HOME}" completion --words "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        if [[ $line == :files ]]; then
            _files
        elif [[ -n $line ]]; then
            found+=("$line")
        fi
    done
    (( $#found )) && compadd -a found
}
if [[ ${funcstack[1]-} == _agenttop ]]; then
    _agenttop "$@"
else
    compdef _agenttop agenttop
fi
""",
    "fish": """\
function __agenttop_complete
    set -l typed (commandline -opc)
    set -l current (commandline -ct)
    for line in ($typed[1] completion --words $typed[2..-1] "$current" 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path "$current"
        else
            printf '%s\\n' $line
        end
    end
end
complete -c agenttop -f -a '(__agenttop_complete)'
""",
}
SHELLS = tuple(_SCRIPTS)
#: Behind the command's name: what follows are words to be completed, whatever they are.
WORDS = "--words"


def completion_parser(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Define the arguments of ``agenttop completion``."""
    parser.description = (
        "Print what makes the tab key complete commands, options, runs and files. For this shell: "
        'eval "$(agenttop completion bash)", in zsh the same with zsh, in fish: agenttop completion fish | source. To '
        "keep it, put that line into ~/.bashrc, ~/.zshrc (behind compinit) or ~/.config/fish/config.fish."
    )
    parser.add_argument("shell", choices=SHELLS, help="which shell")
    return parser


def completion(shell: str) -> int:
    """Print the script of a shell, and return the exit code."""
    say(_SCRIPTS[shell].rstrip("\n"), sys.stdout)
    return DONE


def complete(words: Sequence[str], commands: Sequence[str], parser_of: Callable[[str], argparse.ArgumentParser]) -> int:
    """Print what the last of some words can become, a candidate a line; return the exit code."""
    found = list(candidates(words, commands, parser_of))
    if found:
        say("\n".join(found), sys.stdout)
    return DONE


def candidates(
    words: Sequence[str], commands: Sequence[str], parser_of: Callable[[str], argparse.ArgumentParser]
) -> Iterator[str]:
    """Yield what the last word can become, :data:`FILES` as it stands.

    Args:
        commands: the names of all commands.
        parser_of: returns the parser of a command, or that of a run for an empty name.
    """
    *before, current = words or [""]
    if not before and not current.startswith("-"):
        yield from _begins(current, sorted(commands))
        return
    command = before[0] if before and before[0] in commands else ""
    if before and not command and not before[0].startswith("-"):
        return  # there is no such command
    parser = parser_of(command)
    if before[-1:] == ["="]:  # as bash takes --option=value apart
        before.pop()
    elif current == "=" and before:
        current = ""
    name, sign, value = current.partition("=")
    if sign and name.startswith("--"):
        action = _options(parser).get(name)
        found = _values(command, action, value) if action is not None else ()
        yield from (f"{name}={each}" for each in found if each != FILES)
        return
    action, options = _slot(parser, before[1:] if command else before)
    if options and current.startswith("-"):
        yield from _begins(current, list(_options(parser)))
    elif action is not None:
        yield from _values(command, action, current)


def _options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    return {name: action for action in parser._actions for name in action.option_strings}


def _slot(parser: argparse.ArgumentParser, words: Sequence[str]) -> tuple[argparse.Action | None, bool]:
    """Return what the word behind ``words`` is the value of, None for nothing, and whether it may be an option."""
    options, waiting, given, ended = _options(parser), None, 0, False
    for word in words:
        if not ended and word == "--":
            ended, waiting = True, None
        elif not ended and word.startswith("-") and len(word) > 1:
            action = options.get(word)
            waiting = action if action is not None and action.nargs != 0 else None
        elif waiting is None:
            given += 1
        elif waiting.nargs not in ("*", "+", argparse.REMAINDER):
            waiting = None
    if waiting is not None:
        return waiting, waiting.nargs in ("*", "+", "?")
    for action in parser._actions:
        if not action.option_strings:
            most = _most(action)
            if given < most:
                return action, not ended
            given -= int(most)
    return None, not ended


def _most(action: argparse.Action) -> float:
    """Return how many words an argument takes: as many as its placeholder has, where that has more than one."""
    names = len(str(action.metavar or "").split())
    if action.nargs in ("*", "+") and names > 1:
        return names
    return 1 if action.nargs in (None, "?") else float("inf")


def _values(command: str, action: argparse.Action, current: str) -> Iterator[str]:
    """Yield what an argument or an option can be."""
    stands_for = str(action.metavar or "")
    if action.choices is not None:
        yield from _begins(current, [str(choice) for choice in action.choices])
    elif stands_for in ("RUN", "RUN|FILE", "BASE HEAD"):
        if command == "compare":
            yield from _begins(current, LAST)
        yield from _runs(current, live=command in _LIVE)
        if command not in _LIVE:
            yield FILES
    elif stands_for == "[RUN] COMMAND":
        from agenttop.steering.commands import COMMANDS

        yield from _runs(current, live=True)
        yield from _begins(current, list(COMMANDS))
    elif stands_for == "TOPIC":
        from agenttop.explain.pages import read_pages
        from agenttop.explain.topics import names, topics_of

        yield from _begins(current, names(topics_of(read_pages())))
    elif stands_for == "D":
        from agenttop.dialects import DIALECTS

        yield from _begins(current, list(DIALECTS))
    elif stands_for.startswith("FILE"):
        yield FILES


def _begins(current: str, words: Sequence[str]) -> Iterator[str]:
    return (word for word in words if word.startswith(current))


def _runs(current: str, *, live: bool) -> Iterator[str]:
    """Yield names of profiles and ids of their runs, the newest first."""
    try:
        found = set(live_runs())
        if not live and runs_directory().is_dir():
            found |= {path.name for path in Path(runs_directory()).iterdir()}
    except OSError:
        return
    runs = [run for run in sorted(found, reverse=True) if name_of(run) and run.isprintable() and " " not in run]
    yield from _begins(current, list(dict.fromkeys(map(name_of, runs))))
    fitting = list(_begins(current, runs))
    yield from fitting if current else fitting[:NEWEST]
