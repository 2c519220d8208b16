"""No secret comes through the door, however it is spelled; and nothing else is lost."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.safe_text import KEPT, SafeStream, SafeText

KEY = 'sk-very+secret/Zq8"vXw31=='


def _all_u(text: str) -> str:
    units = text.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _all_percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "lower": str.lower,
    "upper": str.upper,
    "json": lambda text: json.dumps(text)[1:-1],
    "json with slashes": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json twice": lambda text: json.dumps(json.dumps(text))[3:-3],
    "unicode escapes": _all_u,
    "unicode escapes in upper case": lambda text: _all_u(text).upper().replace("\\U", "\\u"),
    "percent": lambda text: quote(text, safe=""),
    "percent in lower case": lambda text: quote(text, safe="").lower(),
    "percent but slashes": quote,
    "percent of a form": quote_plus,
    "percent of everything": _all_percent,
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "html": html.escape,
    "html in numbers": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "html in hexadecimal": lambda text: "".join(f"&#x{ord(char):x};" for char in text),
    "html twice": lambda text: html.escape(html.escape(text)),
    "html of percent": lambda text: html.escape(quote(text, safe="/&")),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 without its end": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "base64 of a URL": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "basic": lambda text: base64.b64encode(f"me:{text}".encode()).decode(),
    "basic of others": lambda text: base64.b64encode(f"user7:{text}".encode()).decode(),
    "basic, percent": lambda text: quote(base64.b64encode(f"bob:{text}".encode()).decode(), safe=""),
    "basic, json": lambda text: base64.b64encode(f"bob:{text}".encode()).decode().replace("/", "\\/"),
}
SECRETS = (
    *(KEY, "sk-0123456789abcdef", "päss/wörd+ü", "a b c d e f"),
    *("x&y<z>'\"%41", "back\\slash\\n12", "100%25%41%zz/", "A" * 400),
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_comes_through(spelling: str, secret: str) -> None:
    spelled = SPELLINGS[spelling](secret)
    said = SafeText([secret])(f"bad key <{spelled}> of yours", 4000)
    assert said == "bad key <***> of yours"


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Z"]), min_size=8, max_size=60),
    st.sampled_from(sorted(SPELLINGS)),
    st.text(" :,.-", max_size=5),
)
def test_no_secret_of_any_kind_comes_through(secret: str, spelling: str, around: str) -> None:
    safe = SafeText([secret])
    said = safe(f"{around}{SPELLINGS[spelling](secret)}{around}")
    assert secret not in said
    assert SPELLINGS[spelling](secret) not in said or len(said) < 8
    assert safe(said) == said, "what is safe stays as it is"


@given(st.text(max_size=200), st.text(max_size=40))
def test_no_text_is_too_odd(text: str, secret: str) -> None:
    safe = SafeText([secret])
    assert safe(text).isprintable()
    safe.holds(text)
    if len(secret) >= 4:
        assert secret not in safe.hide(text)


def test_controls_within_a_key_do_not_hide_it() -> None:
    safe = SafeText([KEY])
    assert safe(f"\x1b[31m{KEY[:5]}\x1b[0m{KEY[5:9]}\x00{KEY[9:12]}\u200b{KEY[12:]}\x1b]8;;!") == "***8;;!"


def test_the_beginning_of_a_secret_where_a_text_was_cut_is_hidden() -> None:
    safe = SafeText(["sk-0123456789", KEY])
    begun = "x" * 290
    assert safe(f"{begun} sk-0123456789 and more") == f"{begun} *** and …"
    assert safe(f"{begun} sk-0") == f"{begun} ***"
    assert safe("bad key sk-01234") == "bad key ***"
    assert safe("bad key sk-01234…") == "bad key ***…"
    assert safe("bad key sk-very%2Bsec%") == "bad key ***"
    assert safe("bad key sk-very\\u002bsec\\u00") == "bad key ***"
    assert safe(base64.b64encode(f"me:{KEY}".encode()).decode()[:20]) == "***"
    for spelling in SPELLINGS.values():
        cut = spelling(KEY)[: len(spelling(KEY)) * 3 // 4]
        assert safe(cut) == "***", cut
    # Cut here, the text is looked through before.
    assert SafeText(["y" * 400])("x " * 140 + "y" * 400).endswith(" ***")


def test_parts_that_a_header_falls_apart_into() -> None:
    safe = SafeText([KEY, "abc1;defghij2"])
    assert [safe(part) for part in ("sk-very+secret/Zq8", "vXw31", "defghij2")] == ["***", "***", "***"]
    assert safe("defghij21") == "defghij21", "another word"


def test_what_a_secret_holds() -> None:
    pair = base64.b64encode(b"bob:pass-word1").decode()
    assert SafeText([pair])("no user bob:pass-word1, pass-word1") == "no user ***, ***"
    assert SafeText(["http://bob:p%40ss99@proxy:3128"])("407 for bob, p@ss99") == "407 for bob, ***"


def test_words_are_left_alone() -> None:
    safe = SafeText(["test", "gpt-4o-mini", "http://127.0.0.1:8000"])
    for text in ("the late start", "no gpt-4 here", "http://127.0.0.2:80", "100% of a+b & c\\d", "ok"):
        assert safe(text) == text
    assert SafeText([])("sk-1234 %41 &amp; x") == "sk-1234 %41 &amp; x"
    assert SafeText(["abc"])("abc") == "abc", "too short to be looked for"
    assert SafeText(["abc", "8080"]).holds("x: abc", short=True)
    assert not SafeText(["abc"]).holds("abcd", short=True)
    assert not SafeText(["abc"]).holds("abc")


def test_what_is_kept_is_bounded() -> None:
    safe = SafeText([KEY])
    for number in range(3 * KEPT):
        safe(f"{number} {KEY}")
    assert len(safe._known) <= KEPT


def test_hostile_texts_cost_no_more_than_others() -> None:
    safe = SafeText([KEY, "%25" * 100])
    for text in ("\\" * 20000, "%25" * 20000, "&amp;" * 20000, "sk-v" * 20000, "&#" * 20000, "\x1b[" * 20000):
        assert len(safe(text)) <= 300
        assert KEY not in safe.hide(text[:5000])


def test_a_stream_of_lines() -> None:
    out = io.StringIO()
    stream = SafeStream(out, SafeText([KEY]))
    print("  key", KEY[:8], end="", file=stream)
    print(KEY[8:], file=stream)
    stream.write(f"\x1b[1m{KEY}\nunfinished ")
    stream.buffer.write(KEY.encode())
    stream.end()
    assert out.getvalue() == "  key ***\n***\nunfinished ***\n"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "abcd"])
@pytest.mark.parametrize("after", ["", "z", "zy", "zyx"])
def test_a_word_in_base64_goes_whole_wherever_the_secret_begins_in_it(before: str, after: str) -> None:
    for secret in (KEY, "sk-012345", "pä55wörd"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            word = encode(f"{before}{secret}{after}".encode()).decode()
            assert SafeText([secret])(f"got <{word}>, no more") == "got <***>, no more"


def test_secrets_are_hidden_where_they_stand_and_all_else_stays() -> None:
    safe = SafeText(["sk-0123456789", "0123456789abc"])
    assert safe.hide("a sk-0123456789\nb SK-0123456789\tc") == "a ***\nb ***\tc"
    assert safe.hide("sk-0123456789abc") == "***", "two that overlap are one"
    assert safe.hide("sk-0123456789sk-0123456789") == "***"
    assert safe.hide("x%73k-0123456789y") == "x***y"
    assert safe.hide("nothing here") == "nothing here"
    assert SafeText([]).hide("sk-0123456789") == "sk-0123456789"


def test_a_letter_that_has_two_in_lower_case_moves_nothing() -> None:
    safe = SafeText(["sk-0123456789"])
    assert safe.hide("\u0130\u0130 sk-0123456789 after") == "\u0130\u0130 *** after"


def test_what_is_held_is_told_in_any_spelling_but_not_where_it_may_only_begin() -> None:
    safe = SafeText([KEY, "ab"])
    assert safe.holds(f"x {quote(KEY, safe='')} y")
    assert not safe.holds(f"x {KEY[:12]}")
    assert safe.hide(f"x {KEY[:12]}") == "x ***"
    assert not safe.holds("x ab y")
    assert safe.holds("x ab y", short=True)
    assert safe.holds("ab", short=True)
    assert not safe.holds("abc xab a_ab", short=True)


def test_a_password_read_as_latin_1_as_headers_are() -> None:
    secret = "pässwörd1"
    assert SafeText([secret])("no " + secret.encode().decode("latin-1")) == "no ***"
    assert SafeText(["lone\ud800surrogate"])("no lone\ud800surrogate") == "no ***"


def test_a_short_name_is_cut_only_after_six_letters_of_a_secret() -> None:
    safe = SafeText(["secret-0123456789"])
    assert [safe(text) for text in ("a secre", "a secret", "a secret…")] == ["a secre", "a ***", "a ***…"]
    long = "x " * 50
    assert safe(f"{long}secr") == f"{long}***"
    assert safe(f"{long}sec") == f"{long}sec"


def test_a_secret_is_not_looked_for_across_words_where_it_is_short() -> None:
    assert SafeText(["latest-one"])("the late st-one") == "the late st-one"
    assert SafeText(["latest-one-of-all"])("the late st-one-of-all") == "the ***"
    assert SafeText(["elevenchars"])("eleven chars") == "eleven chars"
    assert SafeText(["test"])("the late st") == "the late st", "nor at the end, where a secret may be cut"
    assert SafeText(["test"])("the late st…") == "the late st…"
    assert SafeText(["twelve_chars"])("twelve _chars") == "***"


@pytest.mark.parametrize(
    ("part", "alone"),
    [("ab12", False), ("abc12", True), ("abcdef", False), ("a" * 19, False), ("a" * 20, True)],
)
def test_parts_of_a_secret_that_stand_alone(part: str, alone: bool) -> None:
    safe = SafeText([f"whole;{part};x"])
    assert safe(f"is {part} it") == ("is *** it" if alone else f"is {part} it")
    assert safe(f"is a{part} it") == f"is a{part} it"
    assert safe(f"is {part}a it") == f"is {part}a it"


def test_what_a_url_and_a_pair_hold_may_not_be_said_alone() -> None:
    safe = SafeText(["http://bob:pass99@proxy:3128"])
    assert safe("no bob:pass99, no pass99, no bob") == "no ***, no ***, no bob"
    pair = base64.b64encode(b"bob:tops").decode()
    assert SafeText([pair])("bob:tops, tops") == "***, ***"
    assert SafeText([f" {pair} "])("tops") == "***"
    assert SafeText([base64.b64encode(b"bob:top").decode()])("bob:top, top") == "***, top", "too short"
    assert SafeText([base64.b64encode(b"bob:to\x00ps").decode()])("to ps") == "to ps", "no text at all"
    assert SafeText(["http://[::1"])("no http://[::1 here") == "no *** here"


def test_a_long_line_that_does_not_end_is_written_in_pieces() -> None:
    out = io.StringIO()
    stream = SafeStream(out, SafeText([KEY]))
    assert stream.writable()
    assert stream.buffer.writable()
    assert stream.write("x" * 4096) == 4096
    assert out.getvalue() == ""
    assert stream.write("yz") == 2
    assert out.getvalue() == "x" * 4095 + "…"
    stream.write("after\n")
    assert out.getvalue() == "x" * 4095 + "…after\n"
    assert stream.buffer.write("ä\n".encode() + b"\xff\n") == 5
    stream.end()
    stream.end()
    assert out.getvalue().endswith("…after\nä\n\ufffd\n")


def test_every_line_is_flushed_and_its_indent_stays() -> None:
    flushed: list[str] = []

    class Out(io.StringIO):
        def flush(self) -> None:
            flushed.append(self.getvalue())

        def fileno(self) -> int:
            return 7

    stream = SafeStream(Out(), SafeText([KEY]))
    stream.write("    one\n\n  two\n")
    assert flushed == ["    one\n", "    one\n\n", "    one\n\n  two\n"]
    stream.flush()
    assert len(flushed) == 4
    assert stream.fileno() == 7
