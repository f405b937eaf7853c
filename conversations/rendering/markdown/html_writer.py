"""Writes the HTML of one block from the parser's events: known elements only, everything else as escaped text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import Any, ClassVar

from . import highlighting, links, mathml
from .code_blocks import CodeBlocks
from .errors import NotQuickError, TooComplexError
from .inline_tags import InlineTags, is_line_break
from .progress import Progress

MAX_DEPTH = 40
"""Maximum depth of nested elements: the sanitiser's time is quadratic in the depth."""

MAX_EVENTS = 20_000
"""Maximum number of events in one block; each takes about a microsecond."""

MAX_FORMULAS = 10_000
"""Characters of formulas in one block. Formulas beyond it show as they were written."""

_SIMPLE = {
    "Emphasis": ("<em>", "</em>"),
    "Strong": ("<strong>", "</strong>"),
    "Strikethrough": ("<del>", "</del>"),
    "Item": ("<li>", "</li>\n"),
}
_STANDALONE = {"SoftBreak": "\n", "HardBreak": "<br>\n", "Rule": "<hr>\n"}
_FORMULA_DELIMITERS = {"InlineMath": "$", "DisplayMath": "$$"}

_Closing = str | Callable[[], str]
_Element = tuple[str, _Closing]
"""Opening and closing of an element: the closing may depend on what comes in between."""


class HtmlWriter:
    """Used once. Each opening puts its closing on a stack, so the result is well-formed.

    `final`: the block is finished. `quick`: raise NotQuickError instead of colouring code or reading a formula.
    """

    def __init__(self, progress: Progress, *, final: bool, quick: bool = False) -> None:
        self._progress = progress
        self._quick = quick
        self._out: list[str] = []
        self._closings: list[_Closing] = []
        self._text: list[str] = []  # not written yet: a URL may be spread over several events
        self._verbatim: list[str] = []  # text of the code or raw HTML that is open
        self._is_verbatim = False
        self._in_link = False  # HTML has no link within a link
        self._in_image = False  # only text counts there: it becomes the label of a link
        self._inline_tags = InlineTags(self._out)
        self._code_blocks = CodeBlocks(self._out, progress, final=final, quick=quick)
        self._footnote: str | None = None  # label of the definition whose text comes next
        self._alignments: tuple[str, ...] = ()
        self._cell = "th"
        self._column = 0
        self._formula_length = 0

    def write(self, events: Iterable[Any]) -> str:
        """The HTML of all events. Raises TooComplexError and NotQuickError."""
        for count, event in enumerate(events):
            if count > MAX_EVENTS or len(self._closings) > MAX_DEPTH:
                raise TooComplexError
            if isinstance(event, str):
                self._write_text()
                self._out.append(_STANDALONE[event])
                continue
            ((kind, value),) = event.items()
            if kind == "Text" and not self._is_verbatim:
                self._text.append(value)
                continue
            self._write_text()
            if kind == "Start":
                self._open(value)
            elif kind == "End":
                self._close()
            else:
                self._out.append(self._leaf(kind, value))
        self._write_text()
        return "".join(self._out)

    def _write_text(self) -> None:
        if self._text:
            text = "".join(self._text)
            self._text.clear()
            self._out.append(escape(text, quote=False) if self._in_link or self._in_image else links.linkify(text))

    def _open(self, tag: Any) -> None:
        name, detail = (tag, None) if isinstance(tag, str) else next(iter(tag.items()))
        self._code_blocks.colour_previous()
        if self._footnote is not None and name != "Paragraph":
            self._out.append(f"<p>{self._take_footnote_mark()}</p>\n")
        opening, closing = ("", "") if self._in_image else self._element(name, detail)
        self._out.append(opening)
        self._closings.append(closing)

    def _close(self) -> None:
        closing = self._closings.pop()
        self._out.append(closing if isinstance(closing, str) else closing())
        self._inline_tags.leave(len(self._closings))

    def _leaf(self, kind: str, value: Any) -> str:
        """An event without an end."""
        if self._is_verbatim:
            self._verbatim.append(value)
            return ""
        if kind == "TaskListMarker":
            return "☑ " if value else "☐ "
        if kind in _FORMULA_DELIMITERS:
            return self._formula(kind, value)
        return escape(value, quote=False) if self._in_image else self._inline(kind, value)

    def _inline(self, kind: str, value: str) -> str:
        if kind == "Code":
            return f"<code>{escape(value, quote=False)}</code>"
        if kind == "InlineHtml":
            return self._inline_tags.html(value, len(self._closings))
        if kind == "FootnoteReference":
            return links.footnote_mark(value)
        return escape(value, quote=False)

    def _formula(self, kind: str, tex: str) -> str:
        """MathML; the source of a formula that cannot be read, or is beyond the limits."""
        self._formula_length += len(tex)
        self._progress.formulas += len(tex)
        within_limits = self._formula_length <= MAX_FORMULAS and self._progress.formulas <= mathml.MAX_PER_ANSWER
        html = None
        if within_limits and not self._in_image:
            if self._quick:
                raise NotQuickError
            html = mathml.formula(tex, display=kind == "DisplayMath")
        delimiter = _FORMULA_DELIMITERS[kind]
        return html or escape(f"{delimiter}{tex}{delimiter}")

    def _element(self, name: str, detail: Any) -> _Element:
        method = self._METHODS.get(name)
        return method(self, detail) if method else _SIMPLE[name]

    # --- paragraphs, headings, lists ----------------------------------------------------------------------------------

    def _paragraph(self, _: None) -> _Element:
        return f"<p>{self._take_footnote_mark()}", "</p>\n"

    def _take_footnote_mark(self) -> str:
        """The mark of the footnote whose text begins here; "" if none does."""
        label, self._footnote = self._footnote, None
        return "" if label is None else f"{links.footnote_mark(label)} "

    def _footnote_definition(self, label: str) -> _Element:
        self._footnote = label

        def close() -> str:
            return f"<p>{mark}</p>\n" if (mark := self._take_footnote_mark()) else ""

        return "", close

    def _quote(self, kind: str | None) -> _Element:
        """`kind` is that of an alert such as `> [!NOTE]`."""
        head = f"<p><strong>{kind}</strong></p>\n" if kind else ""
        return f'<blockquote dir="auto">\n{head}', "</blockquote>\n"

    def _heading(self, heading: Any) -> _Element:
        name = self._progress.heading(int(heading["level"][1:]))
        return f"<{name}>", f"</{name}>\n"

    def _list(self, start: int | None) -> _Element:
        if start is None:
            return '<ul dir="auto">\n', "</ul>\n"
        attribute = "" if start == 1 else f' start="{start}"'
        return f'<ol dir="auto"{attribute}>\n', "</ol>\n"

    # --- tables -------------------------------------------------------------------------------------------------------

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
        attribute = "" if alignment == "none" else f' align="{alignment}"'
        return f"<{self._cell}{attribute}>", f"</{self._cell}>"

    # --- code and raw HTML --------------------------------------------------------------------------------------------

    def _code(self, kind: Any) -> _Element:
        language = highlighting.language(kind["Fenced"]) if isinstance(kind, dict) else ""
        self._is_verbatim = True
        return "", lambda: self._code_blocks.html(self._take_verbatim(), language)

    def _raw_html(self, _: None) -> _Element:
        self._is_verbatim = True
        return "<p>", lambda: self._raw_lines() + "</p>\n"

    def _raw_lines(self) -> str:
        lines = self._take_verbatim().strip("\n").split("\n")
        return "<br>\n".join("" if is_line_break(line.strip()) else escape(line) for line in lines)

    def _take_verbatim(self) -> str:
        text = "".join(self._verbatim)
        self._verbatim, self._is_verbatim = [], False
        return text

    # --- links and images ---------------------------------------------------------------------------------------------

    def _link(self, link: Any) -> _Element:
        url = links.safe_url(link["dest_url"], email=link["link_type"] == "Email")
        if url is None:
            return ("&lt;", "&gt;") if link["link_type"] == "Autolink" else ("[", links.source_ending(link))

        def close() -> str:
            self._in_link = False
            return "</a>"

        self._in_link = True
        return links.opening_tag(url, link["title"]), close

    def _image(self, image: Any) -> _Element:
        """A link that names the host. An image would contact a third party as soon as the page shows it."""
        url = links.safe_url(image["dest_url"])
        host = links.host(image["dest_url"]) if url else None
        opening, ending = "![", links.source_ending(image)
        if url and host:
            opening, ending = ("", "") if self._in_link else (links.opening_tag(url, image["title"]), "</a>")
            ending = f" ({escape(host)}){ending}"
        begin = len(self._out) + 1

        def close() -> str:
            self._in_image = False
            label = "" if any(self._out[begin:]) else "image"
            return label + ending

        self._in_image = True
        return opening, close

    _METHODS: ClassVar[dict[str, Callable[[HtmlWriter, Any], _Element]]] = {
        "Paragraph": _paragraph,
        "BlockQuote": _quote,
        "FootnoteDefinition": _footnote_definition,
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
