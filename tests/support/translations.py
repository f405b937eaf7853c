"""The sentences for people in code and templates, and their translations."""

import ast
import re
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

from django.utils.translation.template import templatize

from chatapp.installation_settings import BASE_DIR

LOCALE_FOLDER = BASE_DIR / "locale"
SINGULAR = {"_", "gettext", "gettext_lazy", "lazy"}
PLURAL = {"ngettext", "ngettext_lazy"}

# `templatize` turns the tags into the same calls, in text that is otherwise not Python.
_STRING = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(rf"\b(?:gettext|ngettext|_)\(\s*{_STRING}(?:\s*,\s*{_STRING})?")


def marked() -> set[tuple[str, str]]:
    """The (sentence, plural or "") of everything marked for translation."""
    found = set()
    for folder in ("chatapp", "conversations"):
        for path in (BASE_DIR / folder).rglob("*.py"):
            found |= set(_of_code(path))
    for path in (BASE_DIR / "templates").rglob("*.*"):
        found |= set(_of_template(path))
    return found


def _of_code(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            texts = [argument.value for argument in node.args[:2] if isinstance(argument, ast.Constant)]
            if node.func.id in SINGULAR and texts:
                yield str(texts[0]), ""
            elif node.func.id in PLURAL:
                yield str(texts[0]), str(texts[1])


def _of_template(path: Path) -> Iterator[tuple[str, str]]:
    for call in _CALL.finditer(templatize(path.read_text())):
        one, many = (ast.literal_eval(text) if text else "" for text in call.groups())
        yield one, many


def compiled(language: str) -> dict[object, str]:
    """Maps each sentence, or (sentence, plural index), to its translation."""
    with (LOCALE_FOLDER / language / "LC_MESSAGES/django.mo").open("rb") as file:
        return GNUTranslations(file)._catalog  # type: ignore[attr-defined, no-any-return]


def written(language: str) -> dict[str, str]:
    """Maps each sentence to its translation in the PO file, without plural forms."""
    text = (LOCALE_FOLDER / language / "LC_MESSAGES/django.po").read_text()
    text = re.sub(r'"\n"', "", text)
    return {
        ast.literal_eval(one): ast.literal_eval(other)
        for one, other in re.findall(r'^msgid (".*")\nmsgstr (".*")$', text, re.MULTILINE)
    }
