"""Gathers the strings to translate. Django's command knows neither `lazy` nor `.jinja` files."""

from typing import Any

from django.core.management.commands import makemessages

EXTENSIONS = ["html", "jinja", "py", "txt"]


class Command(makemessages.Command):
    """`lazy` is `gettext_lazy` in modules where `_` is `gettext`; `.jinja` files are searched by default."""

    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=lazy"]

    def handle(self, *args: Any, **options: Any) -> None:
        """Search all kinds of files in this repository unless `--extension` says otherwise."""
        options["extensions"] = options["extensions"] or EXTENSIONS
        super().handle(*args, **options)
