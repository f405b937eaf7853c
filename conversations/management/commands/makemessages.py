"""Gathers the sentences to be translated: Django's own command, which does not know `lazy`."""

from django.core.management.commands import makemessages


class Command(makemessages.Command):
    """`gettext_lazy` is called `lazy` where `_` is `gettext`."""

    xgettext_options = [*makemessages.Command.xgettext_options, "--keyword=lazy"]
