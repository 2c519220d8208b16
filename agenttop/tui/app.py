"""The app of the live screen: reads a feed, draws each snapshot once, and sends what the keys ask for."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from rich.console import Console, RenderableType
from textual import events
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message
from textual.screen import Screen

from agenttop.metrics.snapshot import Ended, RunInfo, Snapshot
from agenttop.steering import grammar
from agenttop.steering.commands import COMMANDS
from agenttop.tui import keys, signals
from agenttop.tui import look as looks
from agenttop.tui.cells import Shown
from agenttop.tui.commander import Commander
from agenttop.tui.editing import draft_of
from agenttop.tui.history import History
from agenttop.tui.panes import table
from agenttop.tui.panes.about import ALSO
from agenttop.tui.prompt import Words
from agenttop.tui.result import How, LiveResult
from agenttop.tui.screen_actions import ScreenActions
from agenttop.tui.screens.edit import EditScreen
from agenttop.tui.screens.help import HelpScreen
from agenttop.tui.screens.main import MainScreen
from agenttop.tui.screens.palette import Choice, PaletteScreen
from agenttop.tui.terminal import Terminal, TerminalReady
from agenttop.tui.text import clean
from agenttop.tui.themes import THEMES
from agenttop.tui.view import View
from agenttop.tui.widgets.bar import Question
from agenttop.tui.widgets.compositor import CellUpdate, WholeUpdate
from agenttop.tui.widgets.first import First
from agenttop.view.feed import Feed, can_detach, is_attached, is_read_only, player_of

#: Seconds without a snapshot after which the screen says so.
SILENT_S = 3.0


class Arrived(Message):
    """There is a newer snapshot. One message stands for all that came while the screen was busy."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Arrived)


class AgenttopApp(ScreenActions, inherit_bindings=False):
    """A viewer of one run.

    ``refresh_s`` is how many of the run's seconds pass between two pictures, but for what a key wants; ``clock`` gives
    monotonic seconds, for noticing that the run went silent.
    """

    CSS_PATH: ClassVar[str | Path] = Path(__file__).with_name("agenttop.tcss")
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("ctrl+z", "suspend", show=False, priority=True),
    ]

    def __init__(
        self,
        feed: Feed,
        *,
        ascii: bool = False,
        ansi: bool = False,
        light: bool = False,
        refresh_s: float = 1.0,
        first: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        no_color = bool(os.environ.get("NO_COLOR"))
        super().__init__(ansi_color=ansi or no_color)
        self.animation_level = "none"
        theme = THEMES[light]
        self.register_theme(theme)
        self.theme = ("ansi-light" if light else "ansi-dark") if ansi or no_color else theme.name
        self.look = looks.choose(ascii=ascii, ansi=ansi, no_color=no_color, light=light)
        self.feed = feed
        self.main = MainScreen(First(first, self.look) if first else None)
        self.commander = Commander(feed, self._tell)
        self.info: RunInfo | None = None
        self.history: History | None = None
        self.snap = None
        self.frozen = None
        self.choice = None
        self.stopping = 0
        self.drawn_seq = -1
        """Number of the last snapshot that was drawn."""
        self._refresh_s = refresh_s
        self._due_t_s = 0.0
        """Seconds of the run from which on the next snapshot is drawn."""
        self._clock = clock
        self.zone: tzinfo = UTC
        """Of the times of day."""
        self._heard_s = clock()
        self._jumped = False
        self._left = False
        self._early: list[Callable[[], None]] | None = []
        """What signals asked for before the screen was there; None since it is."""
        self.player = player_of(feed)
        self._shown = Shown()

    def get_driver_class(self) -> type[Driver]:
        found = super().get_driver_class()
        return Terminal if found is LinuxDriver else found

    # The run's side: reading and drawing.

    async def on_mount(self) -> None:
        await self.push_screen(self.main)
        self.bar.detach = can_detach(self.feed)
        self.bar.command = self.commander.send
        self.bar.narrow = lambda text: self.choose(filter=text, scroll=0)
        self.run_worker(self._read(), group="read")
        self.run_worker(self.commander.work(), group="commands")
        self.set_interval(1.0, self.listen)
        early, self._early = self._early or [], None
        for act in early:
            act()

    def once_mounted(self, act: Callable[[], None]) -> None:
        """Do what a signal asks for: as soon as there is a screen, for before that it would fail and be lost."""
        if self._early is None:
            act()
        else:
            self._early.append(act)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Send a picture (Textual's one way to the terminal): only what the terminal does not show already."""
        if isinstance(renderable, CellUpdate | WholeUpdate) and not self.is_headless:
            if not screen.is_mounted:  # nothing is on it yet, and what is will be drawn at once
                return
            self._shown.fit(*screen._compositor.size)  # its own: the terminal may have another one by now
            missing: Any = renderable.lacks(self._shown)
            renderable = missing or None
        super()._display(screen, renderable)

    def on_resize(self, event: events.Resize) -> None:
        self._shown.forget()  # terminals differ in what they do about a new size

    async def on_unmount(self) -> None:
        await self.feed.close()

    async def _read(self) -> None:
        try:
            self.info = await self.feed.open()
            self.history = History(self.info)
            async for message in self.feed.messages():
                self._heard_s = self._clock()
                if isinstance(message, Ended):
                    self._ended(message)
                    return
                if isinstance(message, RunInfo):
                    self._begin_anew(message)
                    continue
                self.snap = message
                self._follow(message)
                self.history.add(message.tick, message.plan_t_s)
                self.history.add_requests(message.table)
                self.history.take_changes(message.by_hand)
                self.post_message(Arrived())
        except OSError as error:
            self._leave(How.LOST if self.info else How.ABSENT, str(error))
        else:
            self._leave(How.LOST, "the run closed its connection")

    def _begin_anew(self, info: RunInfo) -> None:
        """Begin the history anew: somebody has gone back in time, so what came later has not been yet."""
        self.info, self.history = info, History(info)
        if self.choice is not None:
            self.choice = dataclasses.replace(self.choice, info=info)
        self._jumped = True

    def _follow(self, snap: Snapshot) -> None:
        """Take the plan of a snapshot, if it was edited."""
        if snap.edited is None or self.info is None or self.history is None:
            return
        if (snap.edited.stages, snap.edited.duration_s) != (self.info.stages, self.info.duration_s):
            self.info = snap.edited.of(self.info)
            self.history.replan(self.info)

    def on_terminal_ready(self, event: TerminalReady) -> None:
        if event.blank:
            self._shown.forget()
            self.refresh(layout=True)
        self.draw()

    def on_terminal_gone(self) -> None:
        self.hangup()

    def on_arrived(self) -> None:
        jumped, self._jumped = self._jumped, False
        if jumped or (self.snap is not None and self.snap.t_s >= self._due_t_s):
            self.draw(force=jumped)

    def view(self) -> View | None:
        """Return what there is to draw; None before the first snapshot."""
        if self.info is None or self.history is None or self.snap is None:
            return None
        silent_s = 0.0 if self.player is not None else self._clock() - self._heard_s
        if self.choice is None:
            self.choice = View(self.info, self.snap, self.history, self.look, zone=self.zone)
        shown = self.frozen
        return dataclasses.replace(
            self.choice,
            info=shown.info if shown else self.info,
            snap=shown.snap if shown else self.snap,
            history=shown.history if shown else self.history,
            frozen_s=self.snap.t_s - shown.snap.t_s if shown else None,
            at_s=self.choice.at_s if shown else None,
            enlarged=self.main.enlarged is not None,
            stopping=self.stopping,
            silent_s=silent_s if silent_s > SILENT_S else 0.0,
            cursor=self.player.cursor if self.player is not None else None,
            looking=is_read_only(self.feed),
        )

    def draw(self, *, force: bool = True) -> None:
        """Bring the screen up to date; ``force`` also draws what has a slower pace."""
        view = self.view()
        if view is None or self.snap is None or not self.main.is_mounted or not self.main.children:
            return  # not there yet, or going: the clock may ask for a picture at either end
        if not force and isinstance(self._driver, Terminal) and self._driver.behind:
            return  # a newer picture is due when the terminal has taken this one
        with self.batch_update():
            self.bar.expire(self.snap.t_s)
            self.main.show(view, force=force)
            if isinstance(self.screen, EditScreen):
                self.screen.show(self._live(view))
        self.drawn_seq = self.snap.seq
        self._due_t_s = self.snap.t_s + self._refresh_s - 0.5

    def _live(self, view: View) -> View:
        """Return the run as it is now, though the screen may be frozen."""
        if self.snap is None or self.info is None:
            return view
        return dataclasses.replace(view, snap=self.snap, info=self.info, frozen_s=None)

    def listen(self) -> None:
        """Redraw once the run is silent for too long, to say so."""
        if self._clock() - self._heard_s > SILENT_S:
            self.draw(force=False)

    def _ended(self, ended: Ended) -> None:
        self.frozen = None
        self.draw()
        result = LiveResult(How.ENDED, ended, bool(self.stopping), ended.message)
        self.call_after_refresh(self.exit, result)

    def _leave(self, how: How, message: str = "") -> None:
        if self._left:
            return
        self._left = True
        self.exit(LiveResult(how, None, bool(self.stopping), message))

    # The user's side: keys.py names these.

    def _tell(self, text: str, ok: bool, command: str = "") -> None:
        if isinstance(self.screen, EditScreen):
            self.screen.answered(clean(text), ok)
        self.bar.tell(text, ok, self.snap.t_s if self.snap else 0.0, command)
        self.main.make_room()

    async def on_event(self, event: events.Event) -> None:
        # At once, and not by the focus, which has all panes drawn anew: keys after this one may be there already.
        typed = isinstance(event, events.Key | events.Paste) and not event.is_forwarded
        if not typed or self.screen is not self.main or not self.bar.listens:
            await super().on_event(event)
        elif isinstance(event, events.Paste):
            self.bar.paste(event.text)
            self.main.make_room()
        elif isinstance(event, events.Key):
            if event.key in ("ctrl+c", "ctrl+z"):
                await super().on_event(event)
            else:
                self.bar.press(event.key, event.character)
                self.main.make_room()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("interrupt", "suspend"):
            return True
        if action == "seek":
            return self.player is not None or self.frozen is not None
        if action == "speed":
            return self.player is not None
        return can_detach(self.feed) if action == "detach" else True

    def action_users(self, step: int) -> None:
        if self.snap is not None and self.choice is not None:
            self.commander.more(step, self.snap, self.choice.pool)

    def action_next_pool(self) -> None:
        if self.choice is not None and self.snap is not None:
            names: list[str | None] = [None, *(pool.name for pool in self.snap.pools)]
            at = names.index(self.choice.pool) if self.choice.pool in names else 0
            self.choose(pool=names[(at + 1) % len(names)])

    def action_all_pools(self) -> None:
        self.choose(pool=None)

    def action_release(self) -> None:
        pool = self.choice.pool if self.choice is not None else None
        manual = self.snap.manual if self.snap is not None else ()
        # Something is set by hand, though nothing of the selected pool: that is what is meant.
        whole = pool is None or (manual and pool not in manual)
        self.commander.send("release" if whole else f"release {pool}")

    @property
    def looking(self) -> bool:
        """Return whether nothing of the run can be changed from here: it is over, or others steer it."""
        return is_read_only(self.feed) or self.player is not None

    @property
    def armed(self) -> bool:
        """Return whether the run waits to be started."""
        return self.snap is not None and self.snap.state == "armed" and not self.stopping

    def action_enter(self) -> None:
        if self.armed:
            self.action_start()
        else:
            self.action_choose_request()

    def action_start(self) -> None:
        self.commander.send("start")

    def action_hold(self) -> None:
        self.commander.send("resume" if self.snap is not None and self.snap.held else "hold")

    def action_pause(self) -> None:
        self.commander.send("pause")

    def action_next_stage(self) -> None:
        view = self.view()
        if view is None:
            return
        if self.looking:  # the feed says why not
            self.commander.send("next")
            return
        stages, stage = view.stages, view.stage
        at = stages.index(stage) + 1 if stage in stages else len(stages)
        name = f"go on to stage {clean(stages[at].name)}?" if at < len(stages) else "this is the last stage: end it?"
        self._ask(name, (("y", "yes"), ("n", "no")), {"y": lambda: self.commander.send("next")})

    def action_edit(self) -> None:
        """Edit the stages to come: of the selected pool if it has its own, else of the run."""
        if self.looking:
            self.commander.send("plan")
            return
        frozen = self.view()
        if frozen is None or (view := self._live(frozen)).snap.state not in ("armed", "running"):
            return
        if view.snap.search is not None:
            self._tell("a search for capacity sets the load itself", False)
            return
        own = view.plan_of(view.pool) if view.pool is not None else ()
        stages = own or view.stages
        if stages:
            now = sum(row.planned for row in view.snap.pools if row.unit == stages[0].unit)
            self.push_screen(EditScreen(view, draft_of(stages, view.snap.plan_t_s, now), self.commander.send))

    def action_ask_quit(self) -> None:
        if self.looking:
            self._leave(How.DETACHED)
            return
        if self.armed:  # there is nothing to lose
            self._stop()
            return
        choices = [("s", "stop and summarise"), ("l", "leave it running"), ("esc", "stay")]
        answers: dict[str, Callable[[], None]] = {"s": self._stop, "l": lambda: self._leave(How.DETACHED)}
        if not can_detach(self.feed):
            del choices[1], answers["l"]
        self._ask("quit?", tuple(choices), answers)

    def action_detach(self) -> None:
        self._leave(How.DETACHED)

    def action_prompt(self, text: str = "") -> None:
        pools = [pool.name for pool in self.snap.pools] if self.snap else []
        self.bar.type(":", text, Words(partial(grammar.completions, pools=pools), grammar.hint, grammar.goes_on))

    def action_palette(self) -> None:
        view = self.view()
        if view is not None:
            self.push_screen(PaletteScreen(view, self._choices()), self._chosen)

    def _chosen(self, choice: Choice | None) -> None:
        if choice is not None:
            self.call_later(choice.do)  # once the screen of the run is back

    def _choices(self) -> list[Choice]:
        """Return panes, keys and commands for the palette."""
        found = [
            Choice(f"pane: {e.name}", e.key, partial(self.action_enlarge, e.key), ALSO.get(e.name, ""))
            for e in table.by_key()
        ]
        groups = keys.REPLAY_GROUPS if self.player is not None else (keys.SCREEN,) if self.looking else keys.GROUPS
        for group in groups:
            for key in group.keys:
                name = key.action.removeprefix("app.").partition("(")[0]
                if key.action not in keys.WITH_KEY and self.check_action(name, ()):
                    do = partial(self.call_later, self.run_action, key.named or key.action)
                    found.append(Choice(f"{group.name}: {key.help}", key.shown, do))
        for form in () if self.looking else COMMANDS.values():
            text = form.word + (" " if form.rest else "")
            found.append(Choice(f"command: {form}", ":", partial(self.action_prompt, text)))
        return found

    def action_redraw(self) -> None:
        """Send the whole screen, whatever another program has written over it."""
        self._shown.forget()
        self.refresh(layout=True)

    def action_help(self) -> None:
        view = self.view()
        if view is not None:
            self.push_screen(HelpScreen(view, can_detach(self.feed), self.main.enlarged))

    def _ask(self, text: str, choices: tuple[tuple[str, str], ...], answers: dict[str, Callable[[], None]]) -> None:
        self.bar.ask(Question(text, choices, answers))

    # Stopping and leaving.

    def _stop(self) -> None:
        """Stop gracefully; once a stop is under way, end at once."""
        draining = self.snap is not None and self.snap.state == "draining"
        self.stopping = 2 if self.stopping or draining else 1
        if self.stopping == 1:
            self.commander.send("stop")
        else:
            self.run_worker(self.commander.end(), group="end")
        self.draw()

    def action_interrupt(self) -> None:
        """Handle Ctrl-C: stop, then end at once, then leave whatever the run does.

        A viewer that only looks just leaves; for a run that was begun elsewhere it asks, as ``q`` does, and the second
        one leaves it alone.
        """
        if self.looking or (is_attached(self.feed) and self.bar.question is not None):
            self._leave(How.DETACHED)
        elif is_attached(self.feed) and not self.stopping:
            self.action_ask_quit()
        elif self.stopping < 2:
            self._stop()
        else:
            self._leave(How.LEFT)

    def action_suspend(self) -> None:
        """Handle Ctrl-Z: stop, as other programs do; ``fg`` comes back, and the load goes on meanwhile."""
        if isinstance(self._driver, Terminal):
            self._driver.ask_to_stop()

    def terminate(self) -> None:
        """Handle SIGTERM: stop and leave when the run has ended; the second time leave.

        A shell that loses its terminal also sends one to the jobs it has stopped; that ends no run.
        """
        if self._left or (isinstance(self._driver, Terminal) and self._driver.dead):
            self.hangup()
        elif self.stopping or self.player is not None:
            self._leave(How.LEFT)
        elif is_attached(self.feed):
            self._leave(How.DETACHED)
        else:
            self._stop()

    def hangup(self) -> None:
        """Handle SIGHUP: the terminal is dead, or will be; the run goes on."""
        self._leave(How.HANGUP)


def run_live(
    feed: Feed,
    *,
    ascii: bool = False,
    ansi: bool = False,
    light: bool = False,
    refresh_s: float = 1.0,
    first: Sequence[str] = (),
) -> LiveResult:
    """Show a run until it ends or the user leaves; the terminal is whole again when this returns.

    ``ansi`` keeps to the terminal's own 16 colours, as does a terminal that has no more. ``NO_COLOR`` is honoured.
    ``light`` is for a terminal with a light background; ``refresh_s`` makes pictures rarer than one a second; the lines
    ``first`` stand there until the run says something.
    """
    for name in ("COLUMNS", "LINES"):
        # A shell that exports these means the size it had then; Textual would take it for the terminal's for good.
        os.environ.pop(name, None)
    few = Console(force_terminal=True).color_system in (None, "standard")
    app = AgenttopApp(feed, ascii=ascii, ansi=ansi or few, light=light, refresh_s=refresh_s, first=first)
    app.zone = local_zone()

    async def show() -> LiveResult | None:
        with signals.handlers(
            interrupt=partial(app.once_mounted, app.action_interrupt),
            terminate=partial(app.once_mounted, app.terminate),
            hangup=partial(app.once_mounted, app.hangup),
        ):
            return await app.run_async(mouse=False)

    result = asyncio.run(show()) or LiveResult(How.FAILED, None, bool(app.stopping), "the screen failed")
    if result.how is How.HANGUP:
        signals.mute()
    return result


def local_zone() -> tzinfo:
    """Return the time zone of this machine."""
    return datetime.now().astimezone().tzinfo or UTC


async def show_in_browser(feed: Feed) -> None:
    """Show a run on Textual's web driver.

    Standard input and output are a browser's, which has colours and a size of its own.
    """
    app = AgenttopApp(feed)
    app.zone = local_zone()
    await app.run_async(mouse=False)
