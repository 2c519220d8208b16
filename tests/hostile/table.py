# ruff: noqa: E501 (a row a line)
"""Every behaviour of the hostile server: its path, what it does, and what a request to it comes to.

One literal table, and for that alone a long file: a new behaviour is a new row. Bytes are said as they stand and the
connection stays open; anything else is put together from ``acts``. What an outcome is stands in the reference (``agenttop
explain outcomes``). Of several outcomes a row comes to each in turn (those of a WebSocket: its upgrade is ``ok``), and
to one or the other where ``|`` stands between them; ``says`` is a pattern that is found in its errors, or in the warnings
of the run where nothing failed.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.hostile.acts import (
    BINARY,
    CHAT,
    CLOSE,
    DONE,
    ENDLESS,
    OK,
    PING,
    PONG,
    STREAM,
    TEXT,
    TOLD,
    answer,
    as_chunks,
    bare_deflate,
    bye,
    chain,
    chunked,
    closing,
    coded,
    data,
    drip,
    first,
    frame,
    half_closing,
    head,
    in_turn,
    redirect,
    repeat,
    resetting,
    silent,
    stream,
    to_listener,
    to_origin,
    upgrade,
    word,
    zipped,
)  # fmt: skip
from tests.hostile.peer import Act


@dataclass(frozen=True, slots=True)
class Row:
    """One behaviour. ``asks`` names what a client asks for (``profile.ASKS``), ``at`` a listener in place of the
    path.
    """

    path: str
    does: str
    outcome: str
    act: Act = b""
    says: str = ""
    asks: str = "read"
    at: str = ""

    @property
    def kind(self) -> str:
        """The kind is the first part of the path: what is run together."""
        return self.path.split("/")[1]

    @property
    def name(self) -> str:
        """The name of its pool."""
        return self.path.strip("/").replace("/", ".")


_LENGTH = b"content-length: 12"
_CHUNKS = b"transfer-encoding: chunked"
_EVENTS = head(b"content-type: " + STREAM, _CHUNKS)
_LIMITED = b"429 Too Many Requests"
_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
_HELLO = b"\x16\x03\x03\x00\x7a\x02"
_KIB = "more than 256 KiB of headers"
_LINES = "header lines"
_EARLY = head(b"link: </a.css>", status=b"103 Early Hints")
_BOMB = zipped(bytes(70_000_000))
_DEEP = b'{"ok": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"

#: What listens on ports of its own, for it misbehaves before anything was asked.
LISTENERS: dict[str, Act] = {
    "banner": silent(b"220 mail ESMTP ready\r\n"),
    "ssh": silent(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "silent": silent(),
    "closes": closing(b""),
    "resets": resetting(b""),
    "alert": silent(_ALERT),
    "slow-hello": drip(_HELLO + bytes(60), 1, 0.25),
    "half-hello": closing(_HELLO),
    "plain": silent(head(b"connection: close", status=b"400 Bad Request")),
}

ROWS: tuple[Row, ...] = (
    # -- status lines and heads
    Row("/heads/folded", "a header line goes on in the next", "ok", head(b"x-long: one", b" two", _LENGTH) + OK),
    Row("/heads/folded-type", "its value begins in the next line", "ok", head(b"content-type:", b"\tapplication/json", _LENGTH) + OK),
    Row("/heads/padded", "spaces and tabs around a value", "ok", head(b"content-length: \t 12  \t ") + OK),
    Row("/heads/no-text", "a status without its text", "ok", b"HTTP/1.1 200\r\n" + _LENGTH + b"\r\n\r\n" + OK),
    Row("/heads/empty-text", "a status with an empty text", "ok", head(_LENGTH, status=b"200 ") + OK),
    Row("/heads/latin-text", "a text that is no ASCII", "ok", head(_LENGTH, status=b"200 D\xe9j\xe0 vu") + OK),
    Row("/heads/long-text", "a status text of 100 kB", "ok", head(_LENGTH, status=b"200 " + b"o" * 100_000) + OK),
    Row("/heads/capitals", "names in capitals", "ok", head(b"CONTENT-TYPE: application/json", b"CONTENT-LENGTH: 12") + OK),
    Row("/heads/empty-line", "an empty line before the answer", "ok", b"\r\n" + answer()),
    Row("/heads/bytes", "a head that comes byte by byte", "ok", drip(answer())),
    Row("/heads/halves", "a head cut within its last line break", "ok", in_turn(head(_LENGTH)[:-1], b"\n" + OK, pause_s=0.02)),
    Row("/heads/line-feeds", "lines that end with LF alone", "ok", head(_LENGTH).replace(b"\r\n", b"\n") + OK),
    Row("/heads/lines-40000", "40 000 header lines of 240 kB", "ok", b"HTTP/1.1 200 OK\r\n" + b"a:b\r\n" * 40_000 + _LENGTH + b"\r\n\r\n" + OK, says=_LINES),
    Row("/heads/lines-60000", "60 000 header lines of 480 kB", "protocol_error", b"HTTP/1.1 200 OK\r\n" + b"a: bc\r\n" * 60_000 + _LENGTH + b"\r\n\r\n" + OK, says=_KIB),
    Row("/heads/lines-endless", "header lines without end", "protocol_error", repeat(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n", ENDLESS), says=_KIB),
    Row("/heads/large", "a header of 100 kB", "ok", answer(OK, b"x-large: " + b"y" * 100_000), says=_LINES),
    Row("/heads/giant", "a header of 1 MB", "protocol_error", answer(OK, b"x-giant: " + b"y" * 1_000_000), says=_KIB),
    Row("/heads/long-name", "a header name of 100 kB", "ok", answer(OK, b"y" * 100_000 + b": 1"), says=_LINES),
    Row("/heads/escapes", "escape sequences of a terminal in words", "client_error", head(b"x: \x1b[2J", _LENGTH, status=b"404 \x1b[31mNo") + OK),
    Row("/heads/09", "a body without any head, as HTTP/0.9", "protocol_error", closing(b"<html>hello</html>"), says="malformed"),
    Row("/heads/icy", "the status line of another protocol", "protocol_error", closing(b"ICY 200 OK\r\n\r\n"), says="malformed"),
    Row("/heads/small-letters", "http/1.1 in small letters", "protocol_error", head(_LENGTH).lower() + OK, says="malformed"),
    Row("/heads/version-37", "a version that there is not", "protocol_error", answer().replace(b"1.1", b"3.7", 1), says="malformed"),
    Row("/heads/version-10", "HTTP/1.0, closed after the answer", "ok", closing(answer().replace(b"1.1", b"1.0", 1))),
    Row("/heads/version-10-kept", "HTTP/1.0 that keeps its connection", "ok", answer(OK, b"connection: keep-alive").replace(b"1.1", b"1.0", 1)),
    Row("/heads/status-99", "a status of two digits", "protocol_error", answer(status=b"99 Low"), says="malformed"),
    Row("/heads/status-1000", "a status of four digits", "protocol_error", answer(status=b"1000 High"), says="malformed"),
    Row("/heads/status-word", "a status of letters", "protocol_error", answer(status=b"OK 200"), says="malformed"),
    Row("/heads/status-299", "an unknown status that begins with 2", "ok", answer(status=b"299 Odd")),
    Row("/heads/status-499", "an unknown status that begins with 4", "client_error", answer(status=b"499 Odd"), says="499"),
    Row("/heads/status-999", "a status beyond all classes", "server_error", answer(status=b"999 Odd"), says="999"),
    Row("/heads/lengths-same", "the same length twice", "ok|protocol_error", answer(OK, _LENGTH)),
    Row("/heads/lengths-other", "two lengths that contradict each other", "protocol_error", answer(OK, b"content-length: 13"), says="malformed"),
    Row("/heads/length-and-chunks", "a length and chunks", "ok|protocol_error", head(_LENGTH, _CHUNKS) + b"c\r\n" + OK + b"\r\n0\r\n\r\n"),
    Row("/heads/length-negative", "a negative length", "protocol_error", head(b"content-length: -12") + OK, says="malformed"),
    Row("/heads/length-plus", "a length with a sign", "protocol_error", head(b"content-length: +12") + OK, says="malformed"),
    Row("/heads/length-hex", "a length in another notation", "protocol_error", head(b"content-length: 0x0c") + OK, says="malformed"),
    Row("/heads/length-30-digits", "a length of 30 digits", "protocol_error", head(b"content-length: " + b"9" * 30) + OK, says="malformed"),
    Row("/heads/length-exabyte", "an exabyte announced, 12 bytes sent", "truncated", closing(head(b"content-length: 1000000000000000000") + OK), says="in the middle"),
    Row("/heads/no-colon", "a header line without a colon", "protocol_error", answer(OK, b"nonsense"), says="malformed"),
    Row("/heads/space-in-name", "a space within a name", "protocol_error", answer(OK, b"x y: z"), says="malformed"),
    Row("/heads/close-but-open", "says close, and stays open", "ok", silent(answer(OK, b"connection: close"))),

    # -- interim answers
    Row("/interim/100", "100 Continue first", "ok", head(status=b"100 Continue") + answer()),
    Row("/interim/103", "103 Early Hints first", "ok", _EARLY + answer()),
    Row("/interim/103-apart", "103 Early Hints, and the answer later", "ok", in_turn(_EARLY, answer(), pause_s=0.05)),
    Row("/interim/102-many", "100 times 102 Processing", "ok", head(status=b"102 Processing") * 100 + answer()),
    Row("/interim/103-endless", "early hints without end", "protocol_error|timeout", repeat(b"", _EARLY, ENDLESS), says="KiB of headers|no whole", asks="soon"),
    Row("/interim/103-endless-slow", "an early hint now and then, without end", "timeout", repeat(b"", _EARLY, ENDLESS, pause_s=0.05), asks="soon"),
    Row("/interim/103-and-close", "early hints, and no answer", "truncated|protocol_error", closing(_EARLY)),
    Row("/interim/101-bare", "101 without the headers of an upgrade", "protocol_error", head(status=b"101 Switching Protocols"), says="101"),
    Row("/interim/101-unasked", "101 to something nobody asked for", "protocol_error", head(b"upgrade: h2c", b"connection: upgrade", status=b"101 Switching Protocols") + b"\0" * 9, says="unasked"),
    Row("/interim/100-body", "an interim answer with a body", "protocol_error", head(_LENGTH, status=b"100 Continue") + OK + answer(), says="malformed"),

    # -- bodies
    Row("/bodies/short", "a body shorter than its length", "truncated", closing(head(b"content-length: 50") + OK), says="in the middle"),
    Row("/bodies/long", "a body longer than its length", "ok", head(_LENGTH) + OK + b"and more"),
    Row("/bodies/none", "no body where one is read", "check_failed", answer(b"")),
    Row("/bodies/none-timed", "no body where none is read", "ok", answer(b""), asks="time"),
    Row("/bodies/204-body", "204 with a body", "ok", answer(status=b"204 No Content"), asks="time"),
    Row("/bodies/304-body", "304 with a body", "ok", answer(status=b"304 Not Modified"), asks="time"),
    Row("/bodies/until-close", "a body that ends with its connection", "ok", closing(head() + OK)),
    Row("/bodies/until-reset", "a body without length, cut by a reset", "truncated", resetting(head() + OK, 0.05), says="reset"),
    Row("/bodies/drip", "a byte now and then", "ok", drip(answer(), 1, 0.005)),
    Row("/bodies/drip-endless", "a byte now and then, without end", "timeout", repeat(head(), b" ", ENDLESS, pause_s=0.02), asks="soon"),
    Row("/bodies/flood", "a body without end, as fast as it is taken", "timeout|truncated", repeat(head(), b"x" * 65_536, 200, pause_s=0.02), asks="soon"),
    Row("/bodies/20-mib", "20 MiB", "ok", repeat(head(b"content-length: %d" % (20 << 20)), b"x" * 65_536, 320), asks="text"),
    Row("/bodies/40-mib", "40 MiB, as images have", "ok", repeat(head(b"content-length: %d" % (40 << 20)), b"x" * 65_536, 640), asks="text"),
    Row("/bodies/40-mib-too", "and as much beside it", "ok", repeat(head(b"content-length: %d" % (40 << 20)), b"x" * 65_536, 640), asks="text"),
    Row("/bodies/70-mib", "70 MiB, more than is read", "ok", repeat(head(b"content-length: %d" % (70 << 20)), b"x" * 65_536, 1120), asks="text", says="a limit of agenttop"),
    Row("/bodies/chunks-small", "200 000 chunks of a byte", "ok", repeat(head(_CHUNKS), b"1\r\nx\r\n", 200_000, b"0\r\n\r\n"), asks="text"),
    Row("/bodies/chunks-padded", "spaces behind the size of a chunk", "ok", as_chunks(b"c  \r\n" + OK + b"\r\n0  \r\n\r\n")),
    Row("/bodies/chunks-zeros", "zeros before the size of a chunk", "ok", as_chunks(b"0000c\r\n" + OK + b"\r\n000\r\n\r\n")),
    Row("/bodies/chunks-extended", "extensions of chunks", "ok", as_chunks(b'c;a=b;c="d e"\r\n' + OK + b"\r\n0;x\r\n\r\n")),
    Row("/bodies/chunks-extension-1-mb", "an extension of 1 MB", "protocol_error", as_chunks(b"c;" + b"x" * 1_000_000 + b"\r\n" + OK + b"\r\n0\r\n\r\n"), says=_KIB),
    Row("/bodies/chunks-size-bad", "a size that is no number", "protocol_error", as_chunks(b"zz\r\n" + OK + b"\r\n0\r\n\r\n"), says="malformed"),
    Row("/bodies/chunks-size-negative", "a negative size", "protocol_error", as_chunks(b"-c\r\n" + OK + b"\r\n0\r\n\r\n"), says="malformed"),
    Row("/bodies/chunks-size-huge", "a size of 20 digits", "protocol_error", as_chunks(b"f" * 20 + b"\r\n" + OK), says="malformed"),
    Row("/bodies/chunks-no-break", "no line break behind a chunk", "protocol_error", as_chunks(b"c\r\n" + OK + b"0\r\n\r\n"), says="malformed"),
    Row("/bodies/chunks-cut", "closed within a chunk", "truncated", closing(as_chunks(b"50\r\n" + OK)), says="in the middle"),
    Row("/bodies/chunks-no-last", "closed without the last chunk", "truncated", closing(as_chunks(b"c\r\n" + OK + b"\r\n")), says="in the middle"),
    Row("/bodies/trailers", "headers behind the body", "ok", chunked(OK, end=b"0\r\nserver-timing: db;dur=5\r\n\r\n")),
    Row("/bodies/trailers-60000", "60 000 headers behind the body", "protocol_error", chunked(OK, end=b"0\r\n" + b"a: bc\r\n" * 60_000 + b"\r\n"), says=_KIB),
    Row("/bodies/gzip", "gzip", "ok", coded(b"gzip", zipped(OK))),
    Row("/bodies/gzip-bytes", "gzip that comes byte by byte", "ok", drip(coded(b"gzip", zipped(OK)))),
    Row("/bodies/gzip-members", "two members of gzip", "ok", coded(b"gzip", zipped(OK[:5]) + zipped(OK[5:]))),
    Row("/bodies/gzip-padded", "zeros behind gzip", "ok", coded(b"gzip", zipped(OK) + bytes(64))),
    Row("/bodies/gzip-gzip", "gzip in gzip", "ok", coded(b"gzip, gzip", zipped(zipped(OK)))),
    Row("/bodies/gzip-6", "six codings, one in the other", "protocol_error", coded(b"gzip, gzip, gzip, gzip, gzip, gzip", zipped(OK)), says="6 codings"),
    Row("/bodies/gzip-broken", "gzip whose data is broken", "protocol_error", coded(b"gzip", zipped(OK)[:10] + b"\xff" * 20), says="malformed compression"),
    Row("/bodies/gzip-not", "gzip by name only", "protocol_error", coded(b"gzip", OK), says="malformed compression"),
    Row("/bodies/gzip-cut", "gzip that ends early", "truncated", coded(b"gzip", zipped(OK)[:-9]), says="compressed body ends early"),
    Row("/bodies/gzip-bomb", "70 kB that come to 70 MB", "protocol_error", coded(b"gzip", _BOMB), says="times its size"),
    Row("/bodies/gzip-bomb-twice", "a few bytes that come to 70 MB", "protocol_error", coded(b"gzip, gzip", zipped(_BOMB)), says="times its size"),
    Row("/bodies/gzip-bomb-timed", "the same where no body is read", "ok", coded(b"gzip", _BOMB), asks="time"),
    Row("/bodies/deflate", "deflate without its frame", "ok", coded(b"deflate", bare_deflate(OK))),
    Row("/bodies/brotli", "a coding that nobody asked for", "protocol_error", coded(b"br", b"\x0b\x05\x80" + OK + b"\x03"), says="not read here"),
    Row("/bodies/zstd", "another one", "protocol_error", coded(b"zstd", b"\x28\xb5\x2f\xfd" + OK), says="not read here"),
    Row("/bodies/identity", "a coding that is none", "ok", coded(b"identity", OK)),

    # -- connections
    Row("/connections/closed", "closed in place of an answer", "protocol_error", closing(b""), says="closed before an answer"),
    Row("/connections/reset", "reset in place of an answer", "protocol_error", resetting(b""), says="reset"),
    Row("/connections/half-closed", "its half closed in place of an answer", "protocol_error", half_closing(), says="closed before an answer"),
    Row("/connections/half", "closed within the body", "truncated", closing(answer()[:-5]), says="in the middle"),
    Row("/connections/half-head", "closed within the head", "truncated", closing(answer()[:20]), says="in the middle"),
    Row("/connections/half-reset", "reset within the body", "truncated", resetting(answer()[:-5], 0.05), says="reset"),
    Row("/connections/silent", "no answer, ever", "timeout", silent(), asks="soon"),
    Row("/connections/silent-half", "half an answer, and nothing more", "timeout", silent(answer()[:-5]), asks="soon"),
    Row("/connections/silent-line", "a status line, and nothing more", "timeout", silent(answer()[:17]), asks="soon"),
    Row("/connections/silent-second", "one answer, and then none", "ok timeout", first(answer(), silent()), asks="soon"),
    Row("/connections/closed-idle", "closed after each answer, which does not say so", "ok", closing(answer())),
    Row("/connections/reset-idle", "reset after each answer", "ok", resetting(answer(), 0.02)),
    Row("/connections/race", "closed as the next request comes", "ok", first(answer(), closing(b"")), says="sent again"),
    Row("/connections/late", "closed long after the next request came", "ok protocol_error", first(answer(), in_turn(b"", closing(b""), pause_s=0.4)), says="closed before an answer"),
    Row("/connections/twice", "answers twice", "ok", answer() * 2),
    Row("/connections/garbage", "garbage behind the answer", "ok", answer() + b"\0\1\2 garbage"),
    Row("/connections/garbage-later", "garbage while nothing was asked", "ok", in_turn(answer(), b"garbage\r\n", pause_s=0.02)),
    Row("/connections/banner", "speaks before it is asked", "protocol_error", at="banner", says="spoke before|malformed"),
    Row("/connections/ssh", "speaks another protocol", "protocol_error", at="ssh", says="spoke before|malformed"),
    Row("/connections/accepted", "takes connections, and reads nothing", "timeout", at="silent", asks="soon"),
    Row("/connections/refused-late", "takes connections, and closes them", "protocol_error", at="closes", says="closed before an answer"),
    Row("/connections/reset-at-once", "takes connections, and resets them", "protocol_error|connect_error", at="resets", says="reset"),

    # -- redirects
    Row("/redirects/chain", "three redirects, and an answer", "ok", chain(b"/redirects/chain", 3)),
    Row("/redirects/loop", "to itself", "protocol_error", redirect(b"/redirects/loop"), says="more than 10 redirects"),
    Row("/redirects/slow", "a chain that takes longer than its timeout", "timeout", chain(b"/redirects/slow", 10, 0.3), asks="soon"),
    Row("/redirects/origin", "to another origin", "ok", to_origin(b"/well")),
    Row("/redirects/nowhere", "to a port where nobody listens", "connect_error", redirect(b"http://127.0.0.1:1/"), says="refused"),
    Row("/redirects/no-name", "to a name that there is not", "connect_error", redirect(b"http://nowhere.invalid/"), says="resolve"),
    Row("/redirects/bad-port", "to a port that there is not", "protocol_error", redirect(b"http://127.0.0.1:99999/"), says="no http or https"),
    Row("/redirects/bad-url", "to something that is no URL", "protocol_error", redirect(b"http://[::1"), says="no http or https"),
    Row("/redirects/scheme", "to another scheme", "protocol_error", redirect(b"javascript:alert(1)"), says="no http or https"),
    Row("/redirects/file", "to a file", "protocol_error", redirect(b"file:///etc/hostname"), says="no http or https"),
    Row("/redirects/no-location", "without saying where", "check_failed", answer(b"", status=b"302 Found")),
    Row("/redirects/relative", "to a path with dots, and bytes that belong in no path", "ok", redirect(b"../redirects/./a b\xe9?x")),
    Row("/redirects/see-other", "303 after a request", "ok", redirect(b"/well", b"303 See Other")),
    Row("/redirects/permanent", "308, which keeps the method", "ok", redirect(b"/well", b"308 Permanent Redirect"), asks="post"),
    Row("/redirects/long", "to a path of 50 kB", "ok", redirect(b"/well?" + b"1" * 50_000)),
    Row("/redirects/not-modified", "304 with a location", "check_failed", answer(b"", b"location: /well", status=b"304 Not Modified")),

    # -- TLS
    Row("/tls/alert", "speaks TLS where plain HTTP was meant", "protocol_error", _ALERT, says="speaks TLS"),
    Row("/tls/alert-first", "a redirect to a listener that speaks TLS at once", "protocol_error", to_listener("alert"), says="TLS"),
    Row("/tls/plain", "speaks plain HTTP where TLS was meant", "connect_error", to_listener("plain", b"https"), says="does not speak TLS"),
    Row("/tls/failure", "refuses the handshake", "connect_error", to_listener("alert", b"https"), says="TLS"),
    Row("/tls/closed", "closes at the handshake", "connect_error", to_listener("closes", b"https")),
    Row("/tls/half", "closes within the handshake", "connect_error", to_listener("half-hello", b"https")),
    Row("/tls/silent", "never answers the handshake", "timeout", to_listener("silent", b"https"), asks="soon"),
    Row("/tls/slow", "a handshake of a byte now and then", "timeout", to_listener("slow-hello", b"https"), asks="soon"),

    # -- cookies, and other headers that are read
    Row("/headers/cookies-13000", "13 000 cookies", "protocol_error", answer(OK, *(b"set-cookie: a%d=b" % n for n in range(13_000))), says=_KIB),
    Row("/headers/cookies-9000", "9 000 cookies", "ok", answer(OK, *(b"set-cookie: a%d=b" % n for n in range(9_000))), says=_LINES),
    Row("/headers/cookies-400", "400 cookies", "ok", answer(OK, *(b"set-cookie: a%d=b" % n for n in range(400))), says="of answers that set more than 180 cookies"),
    Row("/headers/cookie-giant", "a cookie of 50 kB", "ok", answer(OK, b"set-cookie: a=" + b"b" * 50_000)),
    Row("/headers/cookies-bad", "cookies that are none", "ok", answer(OK, b"set-cookie: =;;;=", b"set-cookie:", b"set-cookie: \xff=\xfe; expires=never", b"set-cookie: a=b; domain=.com; max-age=" + b"9" * 400)),
    Row("/headers/timing", "phases, some of them odd", "ok", answer(OK, b'server-timing: db;dur=5;desc="x, y", a;dur=-1, b;dur=nan, c;dur=1e999, ;;=, d;dur')),
    Row("/headers/timing-bomb", "5 000 phases in a header", "ok", answer(OK, b"server-timing: " + b", ".join(b"p%d;dur=1" % n for n in range(4500))), says="Server-Timing"),
    Row("/headers/timing-quote", "a quote without its end", "ok", answer(OK, b'server-timing: a;desc="' + b"\\" * 30_000)),
    Row("/headers/ratelimit-bomb", "5 000 limits in a header", "ok", answer(OK, b"ratelimit: " + b", ".join(b'"p%d";r=1;t=2' % n for n in range(3000)))),
    Row("/headers/ratelimit-odd", "limits that are none", "ok", answer(OK, b'ratelimit: "a";r=-1;t=x, ((((, "', b"ratelimit-policy: ;;;", b"x-ratelimit-remaining-requests: " + b"9" * 400, b"x-ratelimit-reset-requests: yesterday")),
    Row("/headers/names-new", "phases of other names with every answer", "ok", drip(answer(OK, *(b"server-timing: %b;dur=1" % (b"n" * n) for n in range(1, 80))), 65_536)),

    # -- JSON
    Row("/json/mark", "a byte order mark", "ok", answer(b"\xef\xbb\xbf" + OK)),
    Row("/json/utf-16", "UTF-16 with a mark", "ok", answer(OK.decode().encode("utf-16"))),
    Row("/json/utf-16-bare", "UTF-16 without one", "ok", answer(OK.decode().encode("utf-16-le"))),
    Row("/json/text", "JSON that is called text", "ok", answer(OK, kind=TEXT)),
    Row("/json/no-type", "JSON without a type", "ok", head(_LENGTH) + OK),
    Row("/json/duplicates", "a key twice", "ok", answer(b'{"ok": false, "ok": true}')),
    Row("/json/nan", "NaN, which is no JSON", "check_failed", answer(b'{"ok": NaN}'), says="says ok"),
    Row("/json/cut", "cut within", "check_failed", answer(b'{"ok": tr'), says="says ok"),
    Row("/json/deep", "100 000 lists, one in the other", "check_failed", answer(_DEEP), says="says ok"),
    Row("/json/deep-objects", "100 000 objects, one in the other", "check_failed", answer(b'{"a":' * 100_000), says="says ok"),
    Row("/json/two", "two documents", "check_failed", answer(OK + OK), says="says ok"),
    Row("/json/not-utf-8", "bytes that are no UTF-8", "check_failed", answer(b'{"ok": "\xff\xfe"}'), says="says ok"),
    Row("/json/digits", "a number of 100 000 digits", "check_failed", answer(b'{"n": ' + b"9" * 100_000 + b', "ok": true}'), says="says ok"),
    Row("/json/html", "an error page with status 200", "check_failed", answer(b"<html>Bad Gateway</html>", kind=b"text/html"), says="says ok"),
    Row("/json/null", "null", "check_failed", answer(b"null"), says="says ok"),
    Row("/json/wide", "50 000 keys", "ok", answer(b"{" + b"".join(b'"k%d": 1, ' % n for n in range(50_000)) + b'"ok": true}')),

    # -- event streams
    Row("/sse/comments", "100 000 comments before the first event", "ok", repeat(_EVENTS + b"%x\r\n" % (3 * 100_000), b":\n\n", 100_000, b"\r\n" + stream(CHAT).partition(b"\r\n\r\n")[2]), asks="chat"),
    Row("/sse/comments-endless", "comments without end", "timeout", repeat(_EVENTS, b"3\r\n:\n\n\r\n", ENDLESS, pause_s=0.001), asks="chat-soon"),
    Row("/sse/comments-flood", "comments without end, as fast as they are taken", "timeout|truncated", repeat(_EVENTS, b"3\r\n:\n\n\r\n", ENDLESS), asks="chat-soon"),
    Row("/sse/no-end", "no terminal event", "truncated", stream(word()), asks="chat", says="terminal event"),
    Row("/sse/stays-open", "a terminal event, and the stream stays open", "ok", silent(stream(CHAT)[:-5]), asks="chat"),
    Row("/sse/goes-on", "a terminal event, and the stream goes on", "ok", in_turn(stream(CHAT)[:-5], chunked(word()).partition(b"\r\n\r\n")[2], pause_s=0.01), asks="chat"),
    Row("/sse/empty", "a stream without an event", "truncated", stream(), asks="chat", says="terminal event"),
    Row("/sse/done-at-once", "a terminal event alone", "ok", stream(DONE), asks="chat", says="said_nothing"),
    Row("/sse/done-twice", "two terminal events", "ok", stream(CHAT, DONE), asks="chat"),
    Row("/sse/cr", "lines that end with CR alone", "ok", stream(CHAT.replace(b"\n", b"\r")), asks="chat"),
    Row("/sse/crlf", "lines that end with CRLF, cut within", "ok", drip(stream(CHAT.replace(b"\n", b"\r\n")), 7), asks="chat"),
    Row("/sse/mark", "a byte order mark", "ok", stream(b"\xef\xbb\xbf", CHAT), asks="chat"),
    Row("/sse/utf-8-cut", "letters cut between two pieces", "ok", drip(stream(data('{"choices":[{"index":0,"delta":{"content":"é水🐟"}}]}'.encode()), DONE), 1), asks="chat"),
    Row("/sse/not-utf-8", "bytes that are no UTF-8 within a word", "ok", stream(data(b'{"choices":[{"index":0,"delta":{"content":"\xff\xfe"}}]}'), DONE), asks="chat"),
    Row("/sse/bytes", "a byte a packet", "ok", drip(stream(CHAT)), asks="chat"),
    Row("/sse/chunks-small", "a byte a chunk", "ok", chunked(*(bytes([byte]) for byte in CHAT), kind=STREAM), asks="chat"),
    Row("/sse/large", "an event of 5 MB", "ok", stream(word("x" * 5_000_000), DONE), asks="chat"),
    Row("/sse/lines", "an event of 100 000 lines", "ok", stream(b"data: {\n" + b"data:\n" * 100_000 + b"data: }\n\n", CHAT), asks="chat"),
    Row("/sse/no-type", "no content type", "ok", closing(head() + CHAT), asks="chat", says="without the type"),
    Row("/sse/text-type", "another content type", "ok", stream(CHAT, kind=TEXT), asks="chat", says="without the type"),
    Row("/sse/retry-endless", "retry lines without end", "timeout", repeat(_EVENTS, b"b\r\nretry: 10\n\n\r\n", ENDLESS, pause_s=0.001), asks="chat-soon"),
    Row("/sse/output-endless", "output without end", "timeout", repeat(_EVENTS, chunked(word(), end=b"").partition(b"\r\n\r\n")[2], ENDLESS, pause_s=0.001), asks="chat-soon"),
    Row("/sse/no-space", "fields without a space, and unknown ones", "ok", stream(CHAT.replace(b"data: ", b"id:\0\nfoo\n:c\ndata:")), asks="chat"),
    Row("/sse/cut", "closed within an event", "truncated", closing(stream(word(), word()[:20])), asks="chat", says="stream ended|closed"),
    Row("/sse/cut-chunk", "closed within a chunk", "truncated", closing(stream(CHAT)[:-40]), asks="chat", says="in the middle"),
    Row("/sse/reset", "reset within the stream", "truncated", resetting(stream(word())[:-5], 0.05), asks="chat", says="reset"),
    Row("/sse/stalls", "an event, and nothing more", "timeout", silent(stream(word())[:-5]), asks="chat-soon"),
    Row("/sse/gzip", "compressed", "ok", head(b"content-type: " + STREAM, b"content-encoding: gzip", b"content-length: %d" % len(zipped(CHAT))) + zipped(CHAT), asks="chat"),
    Row("/sse/json", "a whole answer in place of a stream", "protocol_error", answer(), asks="chat", says="asked for an event stream"),
    Row("/sse/html", "an error page in place of a stream", "protocol_error", answer(b"<html>", kind=b"text/html"), asks="chat", says="text/html"),
    Row("/sse/500", "a stream with status 500", "server_error", answer(word(), status=b"500 Oh", kind=STREAM), asks="chat", says="500"),
    Row("/sse/429", "a stream with status 429", "rate_limited", answer(word(), status=_LIMITED, kind=STREAM), asks="chat", says="429"),
    Row("/sse/not-json", "events that are no JSON", "stream_error", stream(data(b"hello"), DONE), asks="chat", says="not a chat completion"),
    Row("/sse/deep", "an event of 100 000 lists", "stream_error", stream(data(b"[" * 100_000), DONE), asks="chat", says="not a chat completion"),
    Row("/sse/usage-absurd", "usage that nobody can have", "ok", stream(word(), data({"choices": [], "usage": {"prompt_tokens": -1, "completion_tokens": 10**30}}), DONE), asks="chat"),

    # -- failures within a 200
    Row("/failures/chat-error", "an object of an error in the stream", "stream_error", stream(word(), data({"error": {"message": "overloaded", "code": 500}})), asks="chat", says="overloaded"),
    Row("/failures/chat-limit", "a limit in the stream", "rate_limited", stream(data({"error": {"message": "slow down", "code": "rate_limit_exceeded"}})), asks="chat", says="slow down"),
    Row("/failures/chat-429", "a limit by number in the stream", "rate_limited", stream(data({"error": {"message": "slow down", "code": 429}}), DONE), asks="chat", says="slow down"),
    Row("/failures/chat-field", "a field called error", "stream_error", stream(word(), b'error: {"code": 500, "message": "no slot"}\n\n', DONE), asks="chat", says="no slot"),
    Row("/failures/chat-named", "an event called error", "stream_error", stream(word(), data({"detail": "worker died"}, "error"), DONE), asks="chat", says="worker died"),
    Row("/failures/chat-abort", "a reason to stop that is a failure", "stream_error", stream(word(finish_reason="abort"), DONE), asks="chat", says="abort"),
    Row("/failures/chat-object", "an object called error", "stream_error", stream(data({"object": "error", "message": "too long", "code": 400}), DONE), asks="chat", says="too long"),
    Row("/failures/chat-whole", "an error in a whole answer", "stream_error", answer(b'{"error": {"message": "no model"}}'), asks="chat-whole", says="no model"),
    Row("/failures/chat-html", "an error page as a whole answer", "stream_error", answer(b"<html>502</html>", kind=b"text/html"), asks="chat-whole", says="not a chat completion"),
    Row("/failures/anthropic-overloaded", "an error in the stream", "stream_error", stream(data({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "error")), asks="anthropic", says="Overloaded"),
    Row("/failures/anthropic-limit", "a limit in the stream", "rate_limited", stream(data({"type": "error", "error": {"type": "rate_limit_error", "message": "too fast"}}, "error")), asks="anthropic", says="too fast"),
    Row("/failures/anthropic-no-end", "no message_stop", "truncated", stream(data({"type": "message_start", "message": {"usage": {"input_tokens": 1}}}, "message_start")), asks="anthropic", says="terminal event"),
    Row("/failures/responses-failed", "a response that failed", "stream_error", stream(data({"type": "response.failed", "response": {"error": {"code": "server_error", "message": "broke"}}}, "response.failed")), asks="responses", says="broke"),
    Row("/failures/responses-limit", "an error that is a limit", "rate_limited", stream(data({"type": "error", "code": "rate_limit_exceeded", "message": "wait"}, "error")), asks="responses", says="wait"),
    Row("/failures/mcp-error", "an error of JSON-RPC", "stream_error", answer(b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "inner"}}'), asks="mcp", says="inner"),
    Row("/failures/mcp-tool", "a tool that failed", "stream_error", answer(b'{"jsonrpc": "2.0", "id": 1, "result": {"isError": true, "content": [{"type": "text", "text": "no disk"}]}}'), asks="mcp", says="no disk"),
    Row("/failures/mcp-html", "an error page", "stream_error", answer(b"<html>", kind=b"text/html"), asks="mcp", says="not a JSON-RPC message"),
    Row("/failures/mcp-stream-cut", "a stream without the answer", "truncated", stream(data({"jsonrpc": "2.0", "method": "notifications/progress"})), asks="mcp", says="terminal event"),
    Row("/failures/ag-ui", "a run that failed", "stream_error", stream(data({"type": "RUN_ERROR", "message": "tool broke"})), asks="ag-ui", says="tool broke"),
    Row("/failures/a2a", "a task that failed", "stream_error", stream(data({"jsonrpc": "2.0", "id": 1, "result": {"kind": "status-update", "final": True, "status": {"state": "failed"}}})), asks="a2a"),
    Row("/failures/a2a-error", "an error of JSON-RPC", "stream_error", stream(data({"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "no agent"}})), asks="a2a", says="no agent"),
    Row("/failures/langgraph", "an event called error", "stream_error", stream(data({"error": "ValueError", "message": "bad node"}, "error")), asks="langgraph", says="bad node"),
    Row("/failures/adk", "a code of an error", "stream_error", stream(data({"errorCode": "SAFETY", "errorMessage": "blocked"})), asks="adk", says="blocked|SAFETY"),
    Row("/failures/adk-error", "an object of an error", "stream_error", stream(data({"error": "no session"})), asks="adk", says="no session"),

    # -- limits
    Row("/limits/bare", "429 without a word", "rate_limited", answer(b"", status=_LIMITED), says="429"),
    Row("/limits/seconds", "with Retry-After", "rate_limited", answer(b"", b"retry-after: 1", status=_LIMITED)),
    Row("/limits/date", "with a date", "rate_limited", answer(b"", b"retry-after: Fri, 31 Dec 2027 23:59:59 GMT", status=_LIMITED)),
    Row("/limits/negative", "with a negative wait", "rate_limited", answer(b"", b"retry-after: -5", status=_LIMITED)),
    Row("/limits/huge", "with a wait of 400 digits", "rate_limited", answer(b"", b"retry-after: " + b"9" * 400, status=_LIMITED)),
    Row("/limits/word", "with a wait in a word", "rate_limited", answer(b"", b"retry-after: soon", status=_LIMITED)),
    Row("/limits/twice", "with two waits", "rate_limited", answer(b"", b"retry-after: 1", b"retry-after: 2", status=_LIMITED)),
    Row("/limits/body", "with the wait in its body", "rate_limited", answer(b'{"error": {"message": "try again in 2s"}}', status=_LIMITED), says="try again"),
    Row("/limits/google", "with the wait in the details of an error", "rate_limited", answer(b'{"error": {"code": 429, "details": [{"retryDelay": "3.5s"}]}}', status=_LIMITED)),
    Row("/limits/html", "with an error page", "rate_limited", answer(b"<html>slow down</html>", status=_LIMITED, kind=b"text/html"), says="slow down"),
    Row("/limits/large", "with 10 MB of words", "rate_limited", answer(b"x" * 10_000_000, status=_LIMITED)),
    Row("/limits/deep", "with 100 000 lists", "rate_limited", answer(_DEEP, status=_LIMITED)),
    Row("/limits/closed", "and closed", "rate_limited", closing(answer(b"", status=_LIMITED))),
    Row("/limits/cut", "cut within its body", "rate_limited|truncated", closing(answer(b"no", status=_LIMITED)[:-1])),
    Row("/limits/brotli", "with a body that cannot be read", "rate_limited", answer(b"\x0b\x05\x80", b"content-encoding: br", status=_LIMITED)),
    Row("/limits/503", "503 with Retry-After", "server_error", answer(b"", b"retry-after: 1", status=b"503 Busy"), says="503"),
    Row("/limits/529", "529, overloaded", "server_error", answer(b"", status=b"529 Overloaded"), says="529"),

    # -- WebSockets
    Row("/ws/well", "answers a message", "ok", upgrade(frame()), asks="ws"),
    Row("/ws/200", "refused with 200", "protocol_error", answer(), asks="ws", says="instead of 101"),
    Row("/ws/401", "refused with 401", "client_error", answer(status=b"401 Unauthorized"), asks="ws", says="401"),
    Row("/ws/429", "refused with 429", "rate_limited", answer(b"", b"retry-after: 1", status=_LIMITED), asks="ws", says="429"),
    Row("/ws/500", "refused with 500", "server_error", answer(status=b"500 Oh"), asks="ws", says="500"),
    Row("/ws/closed", "closed in place of an upgrade", "protocol_error", closing(b""), asks="ws", says="closed before an answer"),
    Row("/ws/silent", "never upgraded", "timeout", silent(), asks="ws"),
    Row("/ws/bad-key", "a wrong answer to the key", "protocol_error", upgrade(frame(), key=b"bm90IHRoZSBrZXk="), asks="ws", says="wrong key"),
    Row("/ws/no-key", "no answer to the key", "protocol_error", upgrade(frame(), key=b""), asks="ws", says="wrong key"),
    Row("/ws/extension", "an extension that nobody asked for, and its frames", "ok protocol_error", upgrade(frame(rsv=4), lines=(b"sec-websocket-extensions: permessage-deflate",)), asks="ws", says="reserved|extension"),
    Row("/ws/subprotocol", "a subprotocol that nobody asked for", "ok", upgrade(frame(), lines=(b"sec-websocket-protocol: odd",)), asks="ws"),
    Row("/ws/4401", "closed right after the upgrade", "ok truncated", upgrade(frame(), at_once=bye(4401, b"bad token")), asks="ws", says="4401.*bad token"),
    Row("/ws/4401-answer", "closed in place of an answer", "ok truncated", upgrade(bye(4401, b"bad token")), asks="ws", says="4401.*bad token"),
    Row("/ws/between", "closed between two messages", "ok truncated", upgrade(in_turn(frame(), bye(1001, b"moving"), pause_s=0.02)), asks="ws", says="sessions lost|1001.*moving"),
    Row("/ws/dropped", "closed without a close frame", "ok truncated", upgrade(closing(b"")), asks="ws", says="without a close frame"),
    Row("/ws/reset", "reset", "ok truncated", upgrade(resetting(b"")), asks="ws"),
    Row("/ws/no-answer", "upgraded, and never answers", "ok timeout", upgrade(b""), asks="ws"),
    Row("/ws/pings", "5 000 pings before the answer", "ok", upgrade(repeat(b"", frame(b"", PING), 5000, frame())), asks="ws"),
    Row("/ws/pings-endless", "pings without end, and no answer", "ok timeout", upgrade(repeat(b"", frame(b"", PING), ENDLESS, pause_s=0.001)), asks="ws"),
    Row("/ws/pongs", "pongs that nobody asked for", "ok", upgrade(frame(b"x", PONG) * 1000 + frame()), asks="ws"),
    Row("/ws/fragments", "a message in fragments, with a ping between them", "ok", upgrade(frame(TOLD[:3], fin=False) + frame(b"", PING) + frame(TOLD[3:], 0)), asks="ws"),
    Row("/ws/fragments-small", "5 000 empty fragments", "ok", upgrade(repeat(frame(b"", fin=False), frame(b"", 0, fin=False), 5000, frame(TOLD, 0))), asks="ws"),
    Row("/ws/bytes", "a byte a packet", "ok", upgrade(drip(frame())), asks="ws"),
    Row("/ws/at-once", "a message in the packet of the upgrade", "ok", upgrade(frame(), at_once=frame(b'{"hello": 1}')), asks="ws"),
    Row("/ws/binary", "a binary message", "ok", upgrade(frame(TOLD, BINARY)), asks="ws"),
    Row("/ws/not-json", "a message that is no JSON, and then one", "ok", upgrade(frame(b"hello") + frame()), asks="ws"),
    Row("/ws/not-utf-8", "a text that is no UTF-8", "ok protocol_error", upgrade(frame(b"\xff\xfe")), asks="ws", says="not UTF-8"),
    Row("/ws/masked", "a masked frame", "ok protocol_error", upgrade(frame(mask=True)), asks="ws", says="mask"),
    Row("/ws/opcode", "an opcode that there is not", "ok protocol_error", upgrade(frame(opcode=3)), asks="ws", says="opcode"),
    Row("/ws/reserved", "a reserved bit", "ok protocol_error", upgrade(frame(rsv=2)), asks="ws", says="reserved"),
    Row("/ws/stray", "a fragment without a beginning", "ok protocol_error", upgrade(frame(opcode=0)), asks="ws", says="continuation"),
    Row("/ws/within", "a message within another one's fragments", "ok protocol_error", upgrade(frame(fin=False) + frame()), asks="ws", says="continuation"),
    Row("/ws/ping-long", "a ping that is too long", "ok protocol_error", upgrade(frame(bytes(200), PING)), asks="ws", says="control"),
    Row("/ws/close-odd", "a close frame of one byte", "ok protocol_error", upgrade(frame(b"x", CLOSE)), asks="ws", says="close"),
    Row("/ws/close-code", "a close code that nobody may send", "ok protocol_error", upgrade(bye(1005)), asks="ws", says="malformed"),
    Row("/ws/oversized", "a frame of an exabyte", "ok protocol_error", upgrade(silent(b"\x81\x7f" + (1 << 60).to_bytes(8, "big") + b"x" * 1000)), asks="ws", says="limit of agenttop"),
    Row("/ws/10-mb", "a message of 10 MB", "ok", upgrade(frame(b'{"done": "' + b"x" * 10_000_000 + b'"}')), asks="ws"),
    Row("/ws/http", "HTTP after the upgrade", "ok protocol_error", upgrade(answer(OK * 20)), asks="ws", says="malformed"),
)  # fmt: skip
