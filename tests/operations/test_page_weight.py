"""The page's own scripts and styles are small, and each is loaded once."""

import gzip
import re
from pathlib import Path

from django.contrib.staticfiles import finders

LIMIT = 58_000
"""The total size in bytes of our own scripts and styles, each file compressed."""


def own_files(html):
    """Our own scripts and styles that a page loads, by their paths in the repository."""
    names = re.findall(r'"/static/((?:js|css)/[^"]+?)\.[0-9a-f]{12}\.(js|css)"', html)
    return sorted({f"{name}.{kind}" for name, kind in names})


def compressed(name):
    return gzip.compress(Path(finders.find(name)).read_bytes(), mtime=0)


def test_scripts_and_styles_of_the_chat_are_small(alice):
    sizes = {name: len(compressed(name)) for name in own_files(alice.get("/").html)}
    assert "js/main.js" in sizes
    assert "css/reset.css" in sizes
    assert sum(sizes.values()) <= LIMIT, sorted(sizes.items(), key=lambda item: -item[1])


def test_page_loads_every_static_file(alice):
    """There is no module and no style sheet that no page needs."""
    written = {
        path
        for finder in finders.get_finders()
        for path, _ in finder.list([])
        if re.match(r"(js|css)/(?!admin/)", path)
    }
    assert written == set(own_files(alice.get("/").html))
