"""A block of Markdown to safe HTML.

The text comes from a model, so from whoever wrote what the model has read. Three things keep a page safe: the writer
below knows only the elements it writes itself, everything else is escaped text; addresses are held against a short
list of schemes; and a sanitiser with the same short lists looks at every piece again.

Nothing is dropped: raw HTML but for a few elements within lines, refused links, link definitions and unreadable
formulas show as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from html import escape
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import pyromark

from . import highlighting, mathml, sanitizer, time_limit

OPTIONS = (
    pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_MATH
    | pyromark.Options.ENABLE_FOOTNOTES
    | pyromark.Options.ENABLE_GFM
)

# The sanitiser is quadratic in the depth, and a parser event costs about a microsecond.
MAX_DEPTH = 40
MAX_EVENTS = 20_000
MAX_ROUNDS = 10
PATIENCE = 2.0
"""Seconds of processor time for one block."""

# Blocks of code that are coloured within an unfinished block, which is shown again and again.
MAX_COLOURED = 32
# Characters of formulas in one block; those behind show as they were written.
MAX_FORMULAS = 10_000

# Begins with a scheme on the list and a host in plain sight: no user name, backslash, blank or control character
# before the path, which browsers and urlsplit read differently.
_ADDRESS = re.compile(
    r"(?ai:https?)://[^\s\x00-\x20\x7f\\/?#@%]+(?:[/?#][^\x00-\x1f\x7f]*)?|(?ai:mailto):[^\s\x00-\x20\x7f]+"
)
# An address in plain text, and what is not part of one at its end (GitHub Flavored Markdown, 6.9), in Chinese and
# Japanese too.
_PLAIN_ADDRESS = re.compile(
    r"(?ai:(?<![a-z0-9/@.])(?:https?://|www\.(?=[a-z0-9])))[^\s<>\x00-\x20\x7f“”«»，。、；：！？（）「」『』【】《》]{1,2000}"
)
_NOT_AT_ITS_END = "?!.,:;*_~'\"|…"
_PAIRS = {")": "(", "]": "[", "}": "{"}
_FOOTNOTE = re.compile(r"(?<=[^\s\[(])\[\^(\d{1,3})\](?!:)")

_SAFE_IN_ADDRESS = "%/:?#[]@!$&'()*+,;=~"

# One line that can only be a paragraph, with nothing that the parser itself writes otherwise than the writer below:
# what most flushes render, in a tenth of the time.
_PROSE = re.compile(r"(?!(?s:.*)(?:://|(?i:www)\.))(?:\*\*)?[^\W\d_][^\n<\[$\\]{0,2000}\n*")

_ELEMENTS = {
    "Emphasis": ("<em>", "</em>"),
    "Strong": ("<strong>", "</strong>"),
    "Strikethrough": ("<del>", "</del>"),
    "Item": ("<li>", "</li>\n"),
}
_MARKS = {"SoftBreak": "\n", "HardBreak": "<br>\n", "Rule": "<hr>\n"}

# The elements of HTML that models write within lines, in table cells above all.
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_INLINE = re.compile(r"<(/?)(sub|sup|kbd)>", re.IGNORECASE)
MAX_INLINE = 8
"""Of these that are open at the same time."""

_FENCED = re.compile(r"^((?:```|~~~)[^`~\n]*\n)((?:(?!```|~~~).*\n)*)((?:```|~~~)[ \t]*(?:\n|\Z))", re.MULTILINE)

_VERBATIM = frozenset({"Code", "CodeBlock", "InlineHtml", "HtmlBlock"})
_FORMULAS = {"InlineMath": "$", "DisplayMath": "$$"}


State = tuple[tuple[int, ...], int, int]
_Closing = str | Callable[[], str]
_Element = tuple[str, _Closing]


class Progress:
    """What the blocks of an answer have in common, in their order.

    The headings stand below the page's own: they begin at h3, and no level is left out on the way down, whatever the
    model wrote, so that a screen reader's outline has no hole. `coloured`, `formulas`: characters so far, of which only
    so many are worth their time.
    """

    def __init__(self, above: Iterable[int] = (), coloured: int = 0, formulas: int = 0) -> None:
        self._above = list(above)
        self.coloured = coloured
        self.formulas = formulas

    @property
    def state(self) -> State:
        """All of it, for `Progress(*state)` in another process."""
        return tuple(self._above), self.coloured, self.formulas

    def copy(self) -> Progress:
        return Progress(*self.state)

    def element(self, level: int) -> str:
        """The element of the next heading, which the model put at `level` 1 to 6."""
        while self._above and self._above[-1] >= level:
            self._above.pop()
        self._above.append(level)
        return f"h{min(2 + len(self._above), 6)}"


class NotQuickError(Exception):
    """Something in a block takes longer than the event loop can wait."""


class _TooIntricateError(Exception):
    """Deeper or in more pieces than a page should be asked to show."""


def block(source: str, progress: Progress, *, final: bool, quick: bool = False) -> str:
    """The safe HTML of `source`; code is coloured only when it is `final`. `quick`: raises NotQuickError in place of
    colouring code or reading formulas. Raises nothing else.

    What is too deep, too intricate or takes too long is shown as it was written.
    """
    try:
        with time_limit.block(PATIENCE):
            return sanitizer.clean(_html(source, progress, final=final, quick=quick))
    except (_TooIntricateError, time_limit.TooLongError):
        return as_code(source)
    except NotQuickError:
        raise
    except BaseException as error:
        if not is_panic(error):
            raise
        return as_code(source)


def typed(text: str) -> str:
    """What a person typed, as HTML: as it is, but for code between fences. Its text is still all that was typed."""
    out: list[str] = []
    end = 0
    for found in _FENCED.finditer(text):
        opening, code, closing = (escape(part, quote=False) for part in found.groups())
        out += (
            escape(text[end : found.start()], quote=False),
            _hidden(opening),
            f"<code>{code}</code>",
            _hidden(closing),
        )
        end = found.end()
    return "".join([*out, escape(text[end:], quote=False)])


def _hidden(mark: str) -> str:
    return f'<span class="fence">{mark}</span>'


def is_panic(error: BaseException) -> bool:
    """Whether the parser, a program in Rust, met what its authors did not foresee. A panic is not an Exception."""
    return type(error).__name__ == "PanicException"


def _html(source: str, progress: Progress, *, final: bool, quick: bool) -> str:
    if _PROSE.fullmatch(source):
        return pyromark.html(source, options=OPTIONS)
    if mathml.has_tex_marks(source):
        source = mathml.with_dollars(source, _spans(source, _VERBATIM), _spans(source, _FORMULAS))
    if "$" in source:
        source = _without_amounts(source)
    return _Writer(progress, final=final, quick=quick).write(_events(source))


def as_code(source: str) -> str:
    """`source` as it was written."""
    return f"<pre><code>{escape(source)}</code></pre>\n"


def _without_amounts(source: str) -> str:
    """`source` with a backslash before the dollar signs of amounts that the parser takes for those of a formula."""
    for _ in range(MAX_ROUNDS):
        changed = mathml.with_amounts_escaped(source, _spans(source, {"InlineMath"}))
        if changed == source:
            break
        source = changed
    return source


def _spans(source: str, kinds: Collection[str]) -> list[tuple[int, int]]:
    """Where events of these kinds stand, as places in the UTF-8 of `source`."""
    return [
        (span["start"], span["end"])
        for event, span in pyromark.events_with_range(source, options=OPTIONS)
        if isinstance(event, dict) and any(kind in kinds for kind in (*event, *_started(event)))
    ]


def _started(event: Any) -> Iterable[str]:
    begun = event.get("Start", ())
    return (begun,) if isinstance(begun, str) else begun


def _events(source: str) -> Iterable[Any]:
    """The parser's events. Link definitions work, and stay in the text."""
    if "]:" not in source:
        return pyromark.events(source, options=OPTIONS)
    source, definitions = _shown_definitions(source)

    def resolve(link: Any) -> tuple[str, str] | None:
        return definitions.get(_label(link["reference"]))

    return pyromark.events(source, options=OPTIONS, broken_link_callback=resolve)


def _shown_definitions(source: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """`source` with its link definitions made ordinary text by a backslash, and what they define."""
    known: dict[str, tuple[str, str]] = {}
    for _ in range(MAX_ROUNDS):
        found = pyromark.reference_definitions(source, options=OPTIONS)
        if not found:
            return source, known
        data, end, pieces = source.encode(), 0, []
        for label, definition in found.items():
            known.setdefault(_label(label), (definition["dest"], definition["title"] or ""))
            start = definition["span"]["start"]
            pieces.append(data[end:start])
            end = start
        source = b"\\".join([*pieces, data[end:]]).decode()
    raise _TooIntricateError


def _label(written: str) -> str:
    return " ".join(written.split()).casefold()


def _address(destination: str, *, email: bool = False) -> str | None:
    """The address as a page may hold it; None for one that is not a plain http, https or mailto address."""
    if email:
        destination = f"mailto:{destination}"
    if not _ADDRESS.fullmatch(destination):
        return None
    address = quote(destination, safe=_SAFE_IN_ADDRESS)
    return address if sanitizer.keeps(address) else None


def _host(address: str) -> str | None:
    """The host as the browser will ask for it; None if it has none."""
    try:
        return (urlsplit(address).hostname or "").encode("idna").decode("ascii") or None
    except ValueError:
        return None


class _Writer:
    """The HTML of one block. Every opening puts its closing on the stack, so the result is well-formed."""

    def __init__(self, progress: Progress, *, final: bool, quick: bool = False) -> None:
        self._progress = progress
        self._final = final
        self._quick = quick
        self._out: list[str] = []
        self._closings: list[_Closing] = []
        self._verbatim: list[str] = []  # the text of the code or raw HTML that is open
        self._is_verbatim = False
        self._in_link = False  # a link within a link is not HTML
        self._in_image = False  # only the text within an image counts: it is the label of a link
        self._words: list[str] = []  # text that is not written yet
        self._inline: list[tuple[str, int, int]] = []  # name, depth and place of elements that may have an end
        self._footnote: str | None = None  # the label of one whose text comes next
        self._alignments: tuple[str, ...] = ()
        self._cell = "th"
        self._column = 0
        self._in_formulas = 0  # characters
        self._uncoloured: tuple[int, str, str] | None = None  # place, code and language of what may go on
        self._open_code = 0  # blocks of code that were coloured within an unfinished block

    def write(self, events: Iterable[Any]) -> str:
        for count, event in enumerate(events):
            if count > MAX_EVENTS or len(self._closings) > MAX_DEPTH:
                raise _TooIntricateError
            if isinstance(event, str):
                self._write_words()
                self._out.append(_MARKS[event])
                continue
            ((kind, value),) = event.items()
            if kind == "Text" and not self._is_verbatim:
                self._words.append(value)
                continue
            self._write_words()
            if kind == "Start":
                self._open(value)
            elif kind == "End":
                self._close()
            elif kind in _FORMULAS:
                self._formula(kind, value)
            else:
                self._text(kind, value)
        self._write_words()
        return "".join(self._out)

    def _write_words(self) -> None:
        """Text comes in pieces, of which an address may have several."""
        if self._words:
            text = "".join(self._words)
            self._words.clear()
            self._out.append(escape(text, quote=False) if self._in_link or self._in_image else _linked(text))

    def _close(self) -> None:
        closing = self._closings.pop()
        self._out.append(closing if isinstance(closing, str) else closing())
        while self._inline and self._inline[-1][1] > len(self._closings):
            self._inline.pop()

    def _open(self, tag: Any) -> None:
        name, detail = (tag, None) if isinstance(tag, str) else next(iter(tag.items()))
        if self._uncoloured is not None:
            self._colour(*self._uncoloured)
        if self._footnote is not None and name != "Paragraph":
            self._out.append(f"<p>{self._label()}</p>\n")
        opening, closing = ("", "") if self._in_image else self._element(name, detail)
        self._out.append(opening)
        self._closings.append(closing)

    def _formula(self, kind: str, tex: str) -> None:
        """A formula; as it was written where it cannot be read, or is too much."""
        html, sign = None, _FORMULAS[kind]
        self._in_formulas += len(tex)
        self._progress.formulas += len(tex)
        enough = self._in_formulas > MAX_FORMULAS or self._progress.formulas > mathml.ENOUGH
        if not (self._in_image or enough):
            if self._quick:
                raise NotQuickError
            html = mathml.formula(tex, display=kind == "DisplayMath")
        self._out.append(html or escape(f"{sign}{tex}{sign}"))

    def _text(self, kind: str, value: Any) -> None:
        if self._is_verbatim:
            self._verbatim.append(value)
        elif kind == "TaskListMarker":
            self._out.append("☑ " if value else "☐ ")
        elif kind == "Code" and not self._in_image:
            self._out.append(f"<code>{escape(value, quote=False)}</code>")
        elif kind == "InlineHtml" and not self._in_image:
            self._out.append(self._inline_html(value))
        elif kind == "FootnoteReference" and not self._in_image:
            self._out.append(_footnote(value))
        else:
            self._out.append(escape(value, quote=False))

    def _inline_html(self, tag: str) -> str:
        """A line break, or one of a few elements that has its end in the same text; else the tag as it was written."""
        found = _INLINE.fullmatch(tag)
        if found is None:
            return "<br>\n" if _BREAK.fullmatch(tag) else escape(tag, quote=False)
        name, depth = found[2].lower(), len(self._closings)
        if not found[1]:
            if len(self._inline) < MAX_INLINE:
                self._inline.append((name, depth, len(self._out)))
        elif self._inline and self._inline[-1][:2] == (name, depth):
            self._out[self._inline.pop()[2]] = f"<{name}>"
            return f"</{name}>"
        return escape(tag, quote=False)

    def _element(self, name: str, detail: Any) -> _Element:
        own = self._OWN.get(name)
        return own(self, detail) if own else _ELEMENTS[name]

    def _paragraph(self, _: None) -> _Element:
        return f"<p>{self._label()}", "</p>\n"

    def _label(self) -> str:
        """The mark of the footnote that begins here."""
        label, self._footnote = self._footnote, None
        return "" if label is None else f"{_footnote(label)} "

    def _footnote_text(self, label: str) -> _Element:
        self._footnote = label

        def close() -> str:
            return f"<p>{label}</p>\n" if (label := self._label()) else ""

        return "", close

    def _quote(self, kind: str | None) -> _Element:
        """`> [!NOTE]` has its kind as a heading of sorts."""
        head = f"<p><strong>{kind}</strong></p>\n" if kind else ""
        return f'<blockquote dir="auto">\n{head}', "</blockquote>\n"

    def _heading(self, heading: Any) -> _Element:
        name = self._progress.element(int(heading["level"][1:]))
        return f"<{name}>", f"</{name}>\n"

    def _list(self, start: int | None) -> _Element:
        if start is None:
            return '<ul dir="auto">\n', "</ul>\n"
        begin = "" if start == 1 else f' start="{start}"'
        return f'<ol dir="auto"{begin}>\n', "</ol>\n"

    def _table(self, alignments: tuple[str, ...]) -> _Element:
        self._alignments = alignments
        return '<table dir="auto">', "</tbody></table>\n"

    def _table_head(self, _: None) -> _Element:
        self._cell, self._column = "th", 0
        return "<thead><tr>", "</tr></thead><tbody>\n"

    def _table_row(self, _: None) -> _Element:
        self._cell, self._column = "td", 0
        return "<tr>", "</tr>\n"

    def _table_cell(self, _: None) -> _Element:
        alignment = self._alignments[self._column].lower()
        self._column += 1
        align = "" if alignment == "none" else f' align="{alignment}"'
        return f"<{self._cell}{align}>", f"</{self._cell}>"

    def _code(self, kind: Any) -> _Element:
        name = highlighting.language(kind["Fenced"]) if isinstance(kind, dict) else ""
        self._is_verbatim = True
        return "", lambda: self._code_block(name)

    def _code_block(self, name: str) -> str:
        """Code within an unfinished block is coloured once something follows it: then it is finished itself."""
        code = self._collected()
        if not self._final and self._open_code < MAX_COLOURED:
            self._uncoloured = (len(self._out), code, name)
        return self._coloured(code, name) if self._final else highlighting.code_block(code, name)

    def _colour(self, place: int, code: str, name: str) -> None:
        self._out[place] = self._coloured(code, name)
        self._uncoloured = None
        self._open_code += 1

    def _coloured(self, code: str, name: str) -> str:
        if self._progress.coloured >= highlighting.ENOUGH or not highlighting.can_colour(code, name):
            return highlighting.code_block(code, name)
        if self._quick:
            raise NotQuickError
        html, cost = highlighting.coloured_block(code, name)
        self._progress.coloured += cost
        return html

    def _raw_html(self, _: None) -> _Element:
        self._is_verbatim = True
        return "<p>", lambda: self._lines_of_html() + "</p>\n"

    def _lines_of_html(self) -> str:
        lines = self._collected().strip("\n").split("\n")
        return "<br>\n".join("" if _BREAK.fullmatch(line.strip()) else escape(line) for line in lines)

    def _collected(self) -> str:
        text = "".join(self._verbatim)
        self._verbatim, self._is_verbatim = [], False
        return text

    def _link(self, link: Any) -> _Element:
        address = _address(link["dest_url"], email=link["link_type"] == "Email")
        if address is None:
            return ("&lt;", "&gt;") if link["link_type"] == "Autolink" else ("[", _as_written(link))

        def close() -> str:
            self._in_link = False
            return "</a>"

        self._in_link = True
        return _anchor(address, link["title"]), close

    def _image(self, image: Any) -> _Element:
        """A link that names the host: an image would be a request to a stranger as soon as it is shown."""
        address = _address(image["dest_url"])
        host = _host(image["dest_url"]) if address else None
        opening, ending = "![", _as_written(image)
        if address and host:
            opening, ending = ("", "") if self._in_link else (_anchor(address, image["title"]), "</a>")
            ending = f" ({escape(host)}){ending}"
        begin = len(self._out) + 1

        def close() -> str:
            self._in_image = False
            label = "" if any(self._out[begin:]) else "image"
            return label + ending

        self._in_image = True
        return opening, close

    _OWN: ClassVar[dict[str, Callable[[_Writer, Any], _Element]]] = {
        "Paragraph": _paragraph,
        "BlockQuote": _quote,
        "FootnoteDefinition": _footnote_text,
        "Heading": _heading,
        "List": _list,
        "Table": _table,
        "TableHead": _table_head,
        "TableRow": _table_row,
        "TableCell": _table_cell,
        "CodeBlock": _code,
        "HtmlBlock": _raw_html,
        "Link": _link,
        "Image": _image,
    }


def _linked(text: str) -> str:
    """Text with its addresses as links, and with the marks of footnotes, whose text may stand in another block."""
    if "://" not in text and "www." not in text.lower():
        return _noted(text)
    out: list[str] = []
    end = 0
    for found in _PLAIN_ADDRESS.finditer(text):
        written = _without_its_surroundings(found[0])
        address = _address(written if "://" in written else f"http://{written}")
        if address is not None:
            out += _noted(text[end : found.start()]), _anchor(address, ""), escape(written, quote=False), "</a>"
            end = found.start() + len(written)
    return "".join([*out, _noted(text[end:])])


def _without_its_surroundings(address: str) -> str:
    """An address in a sentence, without what belongs to the sentence."""
    while address:
        last = address[-1]
        open_before = last in _PAIRS and address.count(last) > address.count(_PAIRS[last])
        if not open_before and last not in _NOT_AT_ITS_END:
            break
        address = address[:-1]
    return address


def _noted(text: str) -> str:
    text = escape(text, quote=False)
    return _FOOTNOTE.sub(lambda found: _footnote(found[1]), text) if "[^" in text else text


def _footnote(label: str) -> str:
    return f"<sup>[{escape(label)}]</sup>"


def _anchor(address: str, title: str) -> str:
    return f'<a href="{escape(address)}"' + (f' title="{escape(title)}">' if title else ">")


def _as_written(link: Any) -> str:
    """The end of a link or image that is refused, as text."""
    title = f' "{link["title"]}"' if link["title"] else ""
    return escape(f"]({link['dest_url']}{title})")
