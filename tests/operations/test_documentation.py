"""Links and test names in the documentation lead to existing files and tests."""

import re

import pytest

from chatapp.installation_settings import BASE_DIR

DOCUMENTS = [*BASE_DIR.glob("*.md"), *(BASE_DIR / "docs").glob("*.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_files(document):
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_tests_that_are_named_exist(document):
    paths = re.findall(r"tests/[\w/]+\.py", document.read_text())
    assert [path for path in paths if not (BASE_DIR / path).exists()] == []


def test_every_document_is_in_the_index():
    index = (BASE_DIR / "docs/README.md").read_text()
    assert [path.name for path in (BASE_DIR / "docs").glob("*.md") if f"({path.name})" not in index] == ["README.md"]
