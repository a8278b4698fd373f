"""Raw mail to plain text: decoding, HTML, and what has to go so that a filter learns the language of spam and not its envelope."""

from __future__ import annotations

import email
import email.errors
import email.header
import email.message
import re
from html.parser import HTMLParser

__all__ = ["clean", "decode", "mask_details", "read_mail", "strip_lists"]

FALLBACKS = ("utf-8", "windows-1252")  # for a mail that names no encoding, an unknown one, or the wrong one
HIDDEN = {"script", "style", "head"}
BREAKS = {"br", "p", "div", "tr", "td", "th", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "center", "hr", "blockquote"}

TAG = re.compile(r"<(?:!doctype|html|body|table|font|br|p|a href)\b", re.I)
# What the collectors of the corpus wrote in place of their own names: it would give away who received a mail.
COLLECTORS = re.compile(r"zzzz\w*|yyyy\w*|(?:deathtospam)+", re.I)
MAX_LETTERS = 30  # a longer "word" is a piece of an attachment or a hash
# Placeholders. A link or an address tells of its sender more than of what is said, and a number is seldom met again.
ADDRESS = re.compile(r"[\w.+=-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*")
URL = re.compile(  # a name has at most 127 labels: without that bound a long line would take the square of its length
    r"(?:https?|ftp|mailto):/*\S+|\bwww\.\S+"
    r"|\b(?:[\w-]{1,63}\.){1,127}(?:com|net|org|edu|info|biz|ie|uk|cc|ru|cn)\b\S*",
    re.I,
)
NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
DETAILS = (("<address>", ADDRESS), ("<url>", URL), ("<number>", NUMBER))
REPLY = re.compile(
    r"\b(?:re|fw|fwd|aw|sv)\s*(?:\[\d+\])?\s*:|\(fwd\)|\[[^\]]*\]|\(was:?(?=\s)", re.I
)  # "Re: [ILUG] Linux (was: Unix)"
# What list software, mail programs and repliers put around the words of the writer. Each is cut to the end of the mail ...
TAILS = re.compile(
    r"^(?:[# ]{0,3}_{20,}"  # a list's footer
    r"|-- ?$"  # a signature
    r"|-{5,}\s*BEGIN PGP SIGNATURE"
    r"|[# ]{0,3}This (?:sf\.net|SF\.Net|SF\.net) email is sponsored|-{40,}\s*\n(?:Sponsored by|In remembrance)"
    r"|To unsubscribe from this group"
    r"|-{4,} ?(?:Original Message|Forwarded [Mm]essage))",
    re.M,
)
# ... or taken out where it stands.
ENDS = r"(?=.*[:.][ \t]*$)"
WROTE = r"\b(?:wrote|writes|said|spake)\b"
INSERTS = (
    re.compile(r"^-+ ?Yahoo! Groups Sponsor.*?^-+.*?->$", re.M | re.S),
    re.compile(r"^-+BEGIN PGP SIGNED MESSAGE-+\n(?:Hash:.*\n)?", re.M),
    # "On Monday, Ann wrote:" in one line or two; the end is looked at first, or long lines would take the square of their length
    re.compile(rf"^(?:On|In|At|Quoting|>?From)\b(?:.*\n{ENDS}.+{WROTE}|{ENDS}.*{WROTE}).*$", re.M),
    re.compile(r"^.{0,80}\b(?:wrote|writes|said)\s*:\s*$", re.M),
    re.compile(r"^[ \t]*(?:\w{0,12}>|[|:)]).*$", re.M),  # a reply quotes
    re.compile(r"^SPAM:.*$", re.M),  # the verdict of another filter
    re.compile(
        r"^[ \t]*(?:URL|Date|From|To|Cc|Sent|Subject|Reply-To|Message-ID|Mime-Version|Content-[\w-]+|X-[\w-]+)[ \t]*:.*$",
        re.M | re.I,
    ),
)


def clean(raw: bytes, *, max_characters: int = 2000) -> str:
    """Return the words of a raw mail: the subject, a line break, and the start of the body, at most ``max_characters`` in all.

    Headers, tags and footers of mailing lists, quotations and signatures are gone; links, addresses and numbers are placeholders.
    Every sequence of bytes is accepted: what cannot be decoded becomes a space, and a mail without text an empty string.
    """
    subject, body = read_mail(raw)
    subject, body = (" ".join(mask_details(part).split()) for part in (REPLY.sub("", subject), strip_lists(body)))
    text = f"{subject}\n{body}".strip()
    return text if len(text) <= max_characters else text[: max_characters + 1].rpartition(" ")[0]


def read_mail(raw: bytes) -> tuple[str, str]:
    """Return subject and body of a raw mail as text: its first plain part, or else its first part in HTML, without the tags.

    A mail of parts within parts, hundreds deep, which no mail program writes, counts as one without text.
    """
    try:
        message = email.message_from_bytes(raw)
        parts = [part for part in message.walk() if part.get_content_maintype() == "text"]
    except RecursionError:
        return "", ""
    parts.sort(key=lambda part: part.get_content_subtype() != "plain")
    body = ""
    for part in parts:
        payload = part.get_payload(decode=True)
        body = decode(payload if isinstance(payload, bytes) else b"", part.get_content_charset())
        if part.get_content_subtype() == "html" or TAG.search(body):  # spam calls a page plain text
            body = _without_tags(body)
        if body.strip():
            break
    return _subject(message), body


def decode(raw: bytes, charset: str | None = None) -> str:
    """Return bytes as text, read in the encoding named, else in UTF-8, else in Windows-1252; unreadable bytes become a space."""
    for name in (charset, *FALLBACKS):
        try:
            text = raw.decode(name or "utf-8")
            text.encode("utf-8")  # refuses half a character, which some of Python's own encodings let through
        except (LookupError, ValueError):  # ValueError for a name with a zero byte in it, UnicodeError included
            continue
        return text
    return raw.decode(FALLBACKS[-1], errors="replace").replace("\ufffd", " ")


def strip_lists(body: str) -> str:
    """Return the body without what list software, mail programs and repliers added: footers, signatures, quotations, headers."""
    body = body.replace("\r\n", "\n")
    for insert in INSERTS:
        body = insert.sub("", body)
    tail = TAILS.search(body)
    return body[: tail.start()] if tail else body


def mask_details(text: str) -> str:
    """Return the text with <address>, <url> and <number> in place of what they name."""
    for placeholder, pattern in DETAILS:
        text = pattern.sub(f" {placeholder} ", text)
    return re.sub(rf"\S{{{MAX_LETTERS + 1},}}", " ", COLLECTORS.sub(" ", text))


def _subject(message: email.message.Message) -> str:
    raw = message.get("Subject", "")
    try:
        pieces = email.header.decode_header(raw)
    except (email.errors.HeaderParseError, ValueError):
        pieces = [(str(raw), None)]
    texts = [decode(piece, charset) if isinstance(piece, bytes) else piece for piece, charset in pieces]
    return " ".join(" ".join(texts).encode("utf-8", errors="replace").decode().split())


class _Words(HTMLParser):
    """Collects what a reader of the page would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._hidden = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN:
            self._hidden = tag
        elif tag == "body":
            self._hidden = ""
        if tag in BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)

    def parse_marked_section(self, i: int, report: bool = True) -> int:
        try:
            return super().parse_marked_section(i, report)
        except AssertionError:  # Python up to 3.13 ends so at an unknown one, such as "<![foo"; a browser passes over it
            return self.parse_bogus_comment(i)


def _without_tags(html: str) -> str:
    words = _Words()
    words.feed(html)
    words.close()
    return "".join(words.pieces)
