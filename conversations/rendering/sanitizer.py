"""The last look at HTML that was made of a model's text: only elements and attributes that can do no harm pass.

HTML whose every tag is, letter for letter, one of a short list of those that carry no address is given back as it is:
that is most of it, and finding it out takes a sixth of the time of the sanitiser, which reads the rest, or less.
"""

import re
from functools import lru_cache
from html import escape

import nh3

from . import highlighting, mathml

_BARE = (
    *(
        "p",
        "br",
        "hr",
        "h3",
        "h4",
        "h5",
        "h6",
        "em",
        "strong",
        "del",
        "sub",
        "sup",
        "kbd",
        "ul",
        "ol",
        "li",
        "blockquote",
    ),
    *("pre", "code", "span", "table", "thead", "tbody", "tr", "th", "td"),
)
_DIRECTED = ("ul", "ol", "table", "blockquote")
_CELLS = ("th", "td")
_ALIGNMENTS = ("left", "center", "right")
_LANGUAGE = "language-[a-z0-9_+#.-]{1,32}"
_LANGUAGE_CLASS = re.compile(_LANGUAGE)


def _any(*words: str) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(words)))})"


_HARMLESS = re.compile(
    rf"""(?:[^<]++|<(?:
        /?{_any(*_BARE)}
        | {_any(*_DIRECTED)}[ ]dir="auto"
        | {_any(*_CELLS)}[ ]align="{_any(*_ALIGNMENTS)}"
        | code[ ]class="{_LANGUAGE}"
        | span[ ]class="{_any(*highlighting.CLASSES)}"
    )>)*+""",
    re.VERBOSE,
)
_CLEANER = nh3.Cleaner(
    tags={*_BARE, "a", *mathml.ELEMENTS},
    clean_content_tags=set(),
    attributes={
        **{name: set(attributes) for name, attributes in mathml.ELEMENTS.items()},
        "a": {"href", "title"},
        "ol": {"start"},
        "code": {"class"},
    },
    tag_attribute_values={
        **{cell: {"align": set(_ALIGNMENTS)} for cell in _CELLS},
        **{name: {"dir": {"auto"}} for name in _DIRECTED},
    },
    allowed_classes={"span": set(highlighting.CLASSES)},
    attribute_filter=lambda tag, _name, value: value if tag != "code" or _LANGUAGE_CLASS.fullmatch(value) else None,
    set_tag_attribute_values={"a": {"target": "_blank"}},
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    generic_attribute_prefixes=set(),
)


@lru_cache(512)
def keeps(address: str) -> bool:
    """Whether a link with this address, which holds no quotation marks, is left as it is: its own reader of addresses
    has to understand it."""
    return "href=" in _CLEANER.clean(f'<a href="{escape(address)}">')


def clean(html: str) -> str:
    """`html` without anything that is not on the lists. Slow, by the square, for what is very deep."""
    return html if _HARMLESS.fullmatch(html) else _CLEANER.clean(html)
