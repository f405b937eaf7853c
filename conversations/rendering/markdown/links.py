"""Links and footnote marks: which addresses a page may hold, and where plain text holds one."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote, urlsplit

from . import sanitizer

# An allowed scheme and a visible host. No user name, backslash, blank or control character may come before the path:
# browsers and urlsplit disagree about those.
_URL = re.compile(
    r"(?ai:https?)://[^\s\x00-\x20\x7f\\/?#@%]+(?:[/?#][^\x00-\x1f\x7f]*)?|(?ai:mailto):[^\s\x00-\x20\x7f]+"
)

# A URL in plain text (GitHub Flavored Markdown, section 6.9). Chinese and Japanese punctuation ends it as well.
_BARE_URL = re.compile(
    r"(?ai:(?<![a-z0-9/@.])(?:https?://|www\.(?=[a-z0-9])))[^\s<>\x00-\x20\x7f“”«»，。、；：！？（）「」『』【】《》]{1,2000}"
)
_TRAILING_PUNCTUATION = "?!.,:;*_~'\"|…"
_BRACKETS = {")": "(", "]": "[", "}": "{"}

_FOOTNOTE_MARK = re.compile(r"(?<=[^\s\[(])\[\^(\d{1,3})\](?!:)")
_NOT_QUOTED = "%/:?#[]@!$&'()*+,;=~"


def safe_url(destination: str, *, email: bool = False) -> str | None:
    """The percent-encoded URL if `destination` is a plain http, https or mailto address, else None. `email`: it is a
    bare e-mail address."""
    if email:
        destination = f"mailto:{destination}"
    if not _URL.fullmatch(destination):
        return None
    url = quote(destination, safe=_NOT_QUOTED)
    return url if sanitizer.keeps_url(url) else None


def host(url: str) -> str | None:
    """The host that a browser would contact, in ASCII (IDNA); None if there is none."""
    try:
        return (urlsplit(url).hostname or "").encode("idna").decode("ascii") or None
    except ValueError:
        return None


def opening_tag(url: str, title: str) -> str:
    """`<a …>` for a URL from `safe_url`."""
    return f'<a href="{escape(url)}"' + (f' title="{escape(title)}">' if title else ">")


def source_ending(link: Mapping[str, Any]) -> str:
    """The end of a rejected link or image, `](destination "title")`, as text."""
    title = f' "{link["title"]}"' if link["title"] else ""
    return escape(f"]({link['dest_url']}{title})")


def footnote_mark(label: str) -> str:
    """The HTML of a reference to a footnote."""
    return f"<sup>[{escape(label)}]</sup>"


def linkify(text: str) -> str:
    """Plain text as HTML, with its URLs as links. Footnote marks count as such even without a definition: that may be
    in another block."""
    if "://" not in text and "www." not in text.lower():
        return _with_footnote_marks(text)
    out: list[str] = []
    end = 0
    for match in _BARE_URL.finditer(text):
        written = _without_sentence_punctuation(match[0])
        url = safe_url(written if "://" in written else f"http://{written}")
        if url is not None:
            out += _with_footnote_marks(text[end : match.start()]), opening_tag(url, ""), escape(written, quote=False)
            out.append("</a>")
            end = match.start() + len(written)
    return "".join([*out, _with_footnote_marks(text[end:])])


def _without_sentence_punctuation(url: str) -> str:
    """The URL without the punctuation and closing brackets of the sentence around it."""
    while url:
        last = url[-1]
        is_unmatched_bracket = last in _BRACKETS and url.count(last) > url.count(_BRACKETS[last])
        if not is_unmatched_bracket and last not in _TRAILING_PUNCTUATION:
            break
        url = url[:-1]
    return url


def _with_footnote_marks(text: str) -> str:
    text = escape(text, quote=False)
    return _FOOTNOTE_MARK.sub(lambda match: footnote_mark(match[1]), text) if "[^" in text else text
