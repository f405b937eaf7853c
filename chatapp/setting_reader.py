"""Reads one setting after another from the environment, and refuses an invalid one in one sentence.

Values of secret settings never appear in that sentence.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from environs import Env, EnvError

T = TypeVar("T")


class InvalidSetting(Exception):
    """A setting that cannot be used. The text is one sentence for the person who set it."""


class Reader:
    """Reads settings from the environment and from a file. Each method raises `InvalidSetting` for an invalid value."""

    def __init__(self, file: Path) -> None:
        """Load `file`, if it exists. Variables that are set in the environment take precedence."""
        self.env = Env()
        self.env.read_env(file, recurse=False)

    def text(
        self, name: str, default: str, expected: str = "text", accept: Callable[[str], bool] = str.isprintable, *,
        secret: bool = False,
    ) -> str:  # fmt: skip
        return self._take(self.env.str, name, default, expected, accept, secret=secret)

    def whole(self, name: str, default: int, minimum: int, maximum: int, unit: str = "") -> int:
        expected = f"a whole number from {minimum} to {maximum}{unit and f' ({unit})'}"
        return self._take(self.env.int, name, default, expected, lambda number: minimum <= number <= maximum)

    def number(self, name: str, default: float, minimum: float, maximum: float, unit: str = "seconds") -> float:
        expected = f"a number from {minimum:g} to {maximum:g} ({unit})"
        return self._take(self.env.float, name, default, expected, lambda number: minimum <= number <= maximum)

    def choice(self, name: str, default: str, *choices: str) -> str:
        return self.text(name, default, f"one of {', '.join(choices)}", choices.__contains__)

    def flag(self, name: str, *, default: bool) -> bool:
        return self._take(self.env.bool, name, default, "true or false", lambda _: True)

    def names(
        self, name: str, expected: str, accept: Callable[[str], bool], *, secret: bool = False
    ) -> tuple[str, ...]:
        """A comma-separated list without duplicates, in its order."""
        values: list[str] = self._take(
            self.env.list, name, [], expected, lambda items: all(accept(item) for item in _trim(items)), secret=secret
        )
        return tuple(dict.fromkeys(_trim(values)))

    def _take(
        self, read: Callable[..., Any], name: str, default: T, expected: str, accept: Callable[[Any], bool], *,
        secret: bool = False,
    ) -> T:  # fmt: skip
        given = os.environ.get(name, "").strip()
        if not given:
            return default
        try:
            value: T = read(name)
        except EnvError:
            refuse(name, given, expected, secret=secret)
        if not accept(value):
            refuse(name, given, expected, secret=secret)
        return value


def refuse(name: str, given: str, expected: str, *, secret: bool = False) -> NoReturn:
    """Raise `InvalidSetting`. The sentence repeats neither a secret nor a URL that contains a password."""
    shown = "has a value that cannot be used (not shown here)" if secret or "@" in given else f"is {given!r}"
    raise InvalidSetting(f"{name} {shown}; expected {expected}.") from None


def unusable_folder(data_dir: Path, error: OSError) -> InvalidSetting:
    """The error for a data folder that cannot be read or written."""
    return InvalidSetting(
        f"DATA_DIR {str(data_dir)!r} cannot be used: {error.strerror or error}; expected a writable folder."
    )


def _trim(items: list[str]) -> list[str]:
    return [item.strip() for item in items]
