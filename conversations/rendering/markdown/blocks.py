"""One top-level block of Markdown to safe HTML.

The text comes from a model, and so from anybody whose words the model has read. Three things keep a page safe: the
writer writes only elements that it knows and escapes everything else; URLs need an allowed scheme; and a sanitiser with
the same short lists checks the result.

Nothing is dropped. Raw HTML (but for a few inline elements), rejected links, link definitions and unreadable formulas
show as they were written.
"""

import re
from html import escape

from . import cpu_limit, math_delimiters, parser, sanitizer
from .errors import NotQuickError, TooComplexError
from .html_writer import HtmlWriter
from .progress import Progress

TIMEOUT = 2.0
"""Seconds of processor time for one block."""

# One line that can only be a paragraph, and in which the parser writes the same HTML as the writer. That is most of
# what a flush renders, in a tenth of the time.
_PLAIN_LINE = re.compile(r"(?!(?s:.*)(?:://|(?i:www)\.))(?:\*\*)?[^\W\d_][^\n<\[$\\]{0,2000}\n*")


def render(source: str, progress: Progress, *, final: bool, quick: bool = False) -> str:
    """The safe HTML of one block; updates `progress`. `final`: the block is finished, so its code gets colours.

    A block that is too complex, or takes too long, shows as it was written. With `quick`, raises NotQuickError where
    code would have to be coloured or a formula read; raises nothing else.
    """
    try:
        with cpu_limit.outer(TIMEOUT):
            return sanitizer.clean(_html(source, progress, final=final, quick=quick))
    except (TooComplexError, cpu_limit.CpuLimitError):
        return as_code(source)
    except NotQuickError:
        raise
    except BaseException as error:
        if not parser.is_panic(error):
            raise
        return as_code(source)


def as_code(source: str) -> str:
    """`source` as it was written, in a code block."""
    return f"<pre><code>{escape(source)}</code></pre>\n"


def _html(source: str, progress: Progress, *, final: bool, quick: bool) -> str:
    if _PLAIN_LINE.fullmatch(source):
        return parser.html(source)
    events = parser.events(math_delimiters.normalized(source))
    return HtmlWriter(progress, final=final, quick=quick).write(events)
