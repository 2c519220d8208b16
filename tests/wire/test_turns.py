"""One connection that floods takes its share of a turn, and no more."""

from __future__ import annotations

import asyncio

import pytest

from agenttop.metrics.outcome import Outcome
from agenttop.wire import http1, turns
from agenttop.wire.http1 import CLOSED, IDLE, Http1Connection
from agenttop.wire.turns import Turns
from agenttop.wire.websocket import WebSocket
from tests.wire.frames import CLOSE, CONT, PING, TEXT, frame
from tests.wire.reading import GET, Keeper, until
from tests.wire.server import chunked, ok
from tests.wire.test_http1_cuts import offline

TINY = chunked(*[b"x"] * 40_000)
FLOODS = {
    "1-byte chunks": (TINY, b"x" * 40_000),
    "comments": (chunked(b":\n" * 100_000), b":\n" * 100_000),
    "one large body": (ok(b"y" * 1_000_000), b"y" * 1_000_000),
}


FRAGMENTS = frame(TEXT, b"a", fin=False) + frame(CONT, b"b", fin=False) * 20_000 + frame(CONT, b"c")


@pytest.fixture(autouse=True)
def _no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn has room for one piece, which stays as small as it is, whatever the machine is doing."""
    monkeypatch.setattr(turns, "CONNECTION_NS", 1)
    monkeypatch.setattr(http1, "FAST_NS", 0)
    monkeypatch.setattr(http1, "SLOW_NS", 1 << 60)
    monkeypatch.setattr(http1, "TURNS", Turns())


@pytest.mark.parametrize("name", FLOODS)
async def test_what_floods_is_read_in_pieces_and_whole(name: str) -> None:
    raw, body = FLOODS[name]
    connection, transport = offline()
    sink = Keeper()
    waiter = connection.send(GET, sink, False)
    connection.data_received(raw)
    came = connection.last_ns
    assert transport.paused
    assert len(sink.body) <= http1.SMALL
    assert connection.behind_ns == came > 0
    assert not waiter.done()
    await waiter
    assert (sink.body, connection.failure, connection.status) == (body, None, 200)
    assert connection.end_ns == came  # by when it came, not by when it was looked at
    assert set(sink.times) == {came}
    await until(lambda: not connection.behind_ns)
    assert not transport.paused
    assert connection.state == IDLE


async def test_others_have_their_turn_in_between() -> None:
    flooding, _ = offline()
    waiter = flooding.send(GET, Keeper(), False)
    flooding.data_received(TINY)
    turn = 0
    while not waiter.done():
        await asyncio.sleep(0)
        turn += 1
        other, _ = offline()
        answered = other.send(GET, Keeper(), False)
        other.data_received(ok(b"x"))
        assert answered.done()
    assert turn >= len(TINY) // http1.SMALL // 2


async def test_who_floods_goes_on_in_turn() -> None:
    """Two that flood are done within a few turns of each other."""
    sinks = [Keeper(), Keeper()]
    waiters = []
    for sink in sinks:
        connection, _ = offline()
        waiters.append(connection.send(GET, sink, False))
        connection.data_received(TINY)
    while not all(waiter.done() for waiter in waiters):
        await asyncio.sleep(0)
        sizes = [len(sink.body) for sink in sinks]
        assert max(sizes) - min(sizes) <= 4 * http1.SMALL


@pytest.mark.parametrize("end", [None, ConnectionResetError(104, "Connection reset by peer")])
@pytest.mark.parametrize("cut", [0, 5])
async def test_the_end_of_a_connection_waits_for_what_came_before(end: Exception | None, cut: int) -> None:
    connection, _ = offline()
    sink = Keeper()
    waiter = connection.send(GET, sink, False)
    connection.data_received(TINY[: len(TINY) - cut])
    connection.eof_received()
    connection.connection_lost(end)
    await waiter
    assert sink.body == b"x" * 40_000
    await until(lambda: connection.state == CLOSED)
    assert (connection.failure is None) == (cut == 0)
    if cut:
        assert connection.failure is not None
        assert connection.failure[0] is Outcome.TRUNCATED


async def test_a_closed_connection_holds_nothing() -> None:
    connection, _ = offline()
    waiter = connection.send(GET, Keeper(), False)
    connection.data_received(TINY)
    connection.fail(Outcome.TIMEOUT, "too long")
    assert connection.behind_ns == 0
    await waiter
    for _ in range(3):
        await asyncio.sleep(0)
    assert connection.failure == (Outcome.TIMEOUT, "too long")


async def test_an_answer_and_much_more_is_the_answer() -> None:
    connection, transport = offline()
    waiter = connection.send(GET, Keeper(), False)
    connection.data_received(ok(b"x") + TINY)
    await waiter
    await until(lambda: connection.state == CLOSED)
    assert (connection.failure, transport.closed) == (None, True)


@pytest.mark.parametrize("flood", [frame(PING) * 20_000, frame(TEXT, b"") * 20_000, FRAGMENTS])
async def test_frames_are_read_in_pieces(flood: bytes) -> None:
    connection = offline()[0]
    connection.state = http1.UPGRADED
    socket = WebSocket(connection)
    connection.on_upgraded = socket.receive
    taken: list[int] = []
    receive = socket.receive

    def counted(data: bytes, now: int) -> None:
        taken.append(len(data))
        receive(data, now)

    connection.on_upgraded = counted
    connection.data_received(flood + frame(CLOSE, b"\x03\xe8"))
    await until(lambda: connection.state == CLOSED)
    assert max(taken) <= http1.SMALL
    assert socket.ended == (Outcome.TRUNCATED, "closed by the target with code 1000")


async def test_a_report_goes_before_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    shared = Turns()
    monkeypatch.setattr(http1, "TURNS", shared)
    shared.reporting = True
    connection, _ = offline()
    sink = Keeper()
    waiter = connection.send(GET, sink, False)
    connection.data_received(TINY)
    for _ in range(10):
        await asyncio.sleep(0)
    assert sink.body == b""
    shared.reporting = False
    await waiter
    assert len(sink.body) == 40_000


async def test_a_reader_that_raises_holds_up_nobody_else() -> None:
    """An exception of who reads a message ends its connection, as the loop has it for one that was read at once."""
    calm, broken = offline()[0], offline()[0]
    for connection in (broken, calm):
        connection.state = http1.UPGRADED
    taken: list[bytes] = []
    ends: list[bytes] = []
    raised: list[object] = []

    def wrong(data: bytes, now: int) -> None:
        ends.append(data)
        if data and len(ends) > 1:
            raise ZeroDivisionError("ours")

    broken.on_upgraded = wrong
    calm.on_upgraded = lambda data, now: taken.append(data)
    asyncio.get_running_loop().set_exception_handler(lambda _, told: raised.append(told["exception"]))
    for connection in (broken, calm):
        connection.data_received(b"x" * 20_000)
    await until(lambda: sum(map(len, taken)) == 20_000)
    assert [type(error) for error in raised] == [ZeroDivisionError]
    assert broken.transport.is_closing()
    broken.connection_lost(None)
    assert ends[-1] == b"", "its exchange hears that the connection is gone"
    late, _ = offline()
    waiter = late.send(GET, Keeper(), False)
    late.data_received(TINY)
    await waiter


def test_whose_bytes_took_most() -> None:
    shared = Turns()
    for whose, took in (("calm", 5), ("flood", 9), ("calm", 3)):
        shared.took(whose, took)
    assert shared.busiest() == ("flood", 9)
    assert shared.busiest() == ("", 0)


@pytest.mark.parametrize(
    ("deadline", "read", "excused"),
    [(150, 210, True), (99, 210, False), (201, 210, False), (150, 201 + turns.SLACK_NS, False)],
)
def test_a_deadline_within_a_stall_is_no_ones_fault(deadline: int, read: int, excused: bool) -> None:
    shared = Turns()
    shared.stalled(100, 200)
    assert shared.excuses(deadline, read) is excused


def test_a_stall_is_remembered_while_what_came_in_it_is_read() -> None:
    """Reading what came makes the next turns late as well: those are stalls of their own."""
    shared = Turns()
    shared.stalled(0, 500_000_000)
    shared.stalled(495_000_000, 530_000_000)
    shared.stalled(525_000_000, 545_000_000)
    assert shared.excuses(300_000_000, 510_000_000)
    assert shared.excuses(500_000_000, 531_000_000)
    assert not shared.excuses(300_000_000, 500_000_001 + turns.SLACK_NS)


async def test_of_another_loop_nothing_is_left() -> None:
    shared = Turns()
    dead = asyncio.new_event_loop()
    shared.room(dead)
    shared.wait(Http1Connection(dead))
    dead.close()
    assert shared.room(asyncio.get_running_loop()) > 0


class Held:
    """A connection whose pieces take as long as they say, in ns."""

    def __init__(self, shared: Turns, told: list[str], name: str, *pieces: int) -> None:
        self._shared, self._told, self._name, self._pieces = shared, told, name, list(pieces)
        shared.wait(self)

    def go_on(self) -> bool:
        self._told.append(self._name)
        self._shared.took(self._name, self._pieces.pop(0))
        return bool(self._pieces)


async def test_all_together_take_no_more_than_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "CONNECTION_NS", 500)
    monkeypatch.setattr(turns, "TURN_NS", 1_200)
    shared, loop = Turns(), asyncio.get_running_loop()
    rooms = []
    for took in (500, 500, 150, 900):
        rooms.append(shared.room(loop))
        shared.took("p", took)
    assert rooms == [500, 500, 200, 50], "a share each, and then what is left of the turn"
    assert shared.room(loop) <= 0
    await asyncio.sleep(0)
    assert shared.room(loop) == 500, "the next turn begins with all of it"
    shared.reporting = True
    assert shared.room(loop) == 0


async def test_who_waits_goes_on_in_order_until_the_turn_is_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "TURN_NS", 1_000)
    shared, told = Turns(), list[str]()
    shared.room(asyncio.get_running_loop())
    for name, pieces in (("a", (600, 600, 1)), ("b", (600,)), ("c", (1, 1))):
        Held(shared, told, name, *pieces)
    seen = []
    for _ in range(5):
        await asyncio.sleep(0)
        seen.append("".join(told))
        told.clear()
    assert seen == ["ab", "ca", "ca", "", ""]
    assert shared.busiest() == ("a", 1_201)


async def test_nobody_goes_on_while_a_report_is_on_its_way() -> None:
    shared, told = Turns(), list[str]()
    shared.room(asyncio.get_running_loop())
    Held(shared, told, "a", 1, 1)
    shared.reporting = True
    for _ in range(3):
        await asyncio.sleep(0)
    assert told == []
    shared.reporting = False
    for _ in range(3):
        await asyncio.sleep(0)
    assert told == ["a", "a"]


async def test_turns_go_on_whoever_raises() -> None:
    shared, told, raised = Turns(), list[str](), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, seen: raised.append(seen["exception"]))
    shared.room(asyncio.get_running_loop())
    Held(shared, told, "broken")  # it has no piece
    Held(shared, told, "calm", 1, 1)
    for _ in range(4):
        await asyncio.sleep(0)
    assert told == ["broken", "calm", "calm"]
    assert [type(error) for error in raised] == [IndexError]


async def test_what_waited_in_another_loop_does_not_go_on_in_this_one() -> None:
    shared, told = Turns(), list[str]()
    dead = asyncio.new_event_loop()
    shared.room(dead)
    Held(shared, told, "of the dead", 1, 1)
    dead.close()
    shared.room(asyncio.get_running_loop())
    for _ in range(3):
        await asyncio.sleep(0)
    assert told == []


async def test_events_of_a_large_read_are_not_cut() -> None:
    """A piece ends with a line, so that an event is in one piece unless it is larger than that."""
    connection, _ = offline()
    sink = Keeper()
    events = [b'data: {"n":%d,"text":"%s"}\n\n' % (n, b"x" * (n % 90)) for n in range(200)]
    waiter = connection.send(GET, sink, False)
    connection.data_received(chunked(*events, headers=("content-type: text/event-stream",)))
    await waiter
    assert sink.body == b"".join(events)
    assert len(sink.times) - 1 == len(events)


async def test_a_read_no_larger_than_pieces_are_by_now_is_parsed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connection, transport = offline()
    sink = Keeper()
    raw = chunked(*[b"z" * 90] * 20)
    waiter = connection.send(GET, sink, False)
    connection.data_received(raw[:1])
    connection._piece = len(raw)
    monkeypatch.setattr(http1, "SLOW_NS", -1)
    shared = Turns()
    monkeypatch.setattr(http1, "TURNS", shared)
    connection.data_received(raw[1:])
    assert waiter.done()
    assert not transport.paused
    assert (sink.body, connection.failure) == (b"z" * 1800, None)
    assert connection._piece == len(raw) // 2, "it took longer than a piece may"
    shared.reporting = True  # a report goes out first
    waiter = connection.send(GET, sink, False)
    connection.data_received(raw[:1])
    connection._piece = len(raw)
    connection.data_received(raw[1:])
    assert transport.paused
    assert not waiter.done()
    shared.reporting = False
    await waiter
