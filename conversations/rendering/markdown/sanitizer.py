"""A final check of HTML made from a model's text: only harmless elements and attributes pass.

HTML that contains only certain tags, letter for letter and without a URL, is returned as it is. That is most of it, and
checking takes at most a sixth of the time of the sanitiser, which handles the rest.
"""

import re
from functools import lru_cache
from html import escape

import nh3

from . import highlighting, mathml

_BLOCKS = ("p", "br", "hr", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre")
_TABLES = ("table", "thead", "tbody", "tr", "th", "td")
_INLINE = ("em", "strong", "del", "sub", "sup", "kbd", "code", "span")
_PLAIN = (*_BLOCKS, *_TABLES, *_INLINE)
_DIRECTED = ("ul", "ol", "table", "blockquote")
_CELLS = ("th", "td")
_ALIGNMENTS = ("left", "center", "right")
_LANGUAGE = "language-[a-z0-9_+#.-]{1,32}"
_LANGUAGE_CLASS = re.compile(_LANGUAGE)


def _one_of(*words: str) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(words)))})"


_HARMLESS = re.compile(
    rf"""(?:[^<]++|<(?:
        /?{_one_of(*_PLAIN)}
        | {_one_of(*_DIRECTED)}[ ]dir="auto"
        | {_one_of(*_CELLS)}[ ]align="{_one_of(*_ALIGNMENTS)}"
        | code[ ]class="{_LANGUAGE}"
        | span[ ]class="{_one_of(*highlighting.CLASSES)}"
    )>)*+""",
    re.VERBOSE,
)
_CLEANER = nh3.Cleaner(
    tags={*_PLAIN, "a", *mathml.ELEMENTS},
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
def keeps_url(url: str) -> bool:
    """Whether the sanitiser keeps a link to this URL, which has no quotation marks: its own parser has to accept it."""
    return "href=" in _CLEANER.clean(f'<a href="{escape(url)}">')


def clean(html: str) -> str:
    """`html` without anything that is not allowed. The time is quadratic in the depth."""
    return html if _HARMLESS.fullmatch(html) else _CLEANER.clean(html)
