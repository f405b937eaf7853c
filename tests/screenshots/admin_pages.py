"""Screenshots of the admin."""

from collections.abc import Callable

from conversations.models import Generation
from tests.screenshots import texts
from tests.screenshots.studio import Studio, tokens

LIST = "/admin/conversations/generation/"


def runs(studio: Studio) -> None:
    stopped = Generation.objects.filter(end_reason="stopped").earliest("requested_at")
    for dark in (False, True):
        with studio.tab(studio.mara, dark=dark) as chat:
            chat.open(LIST)
            studio.shoot(chat, "admin-runs" + "-dark" * dark)
            if not dark:
                chat.open(f"{LIST}{stopped.pk}/change/")
                studio.shoot(chat, "admin-run")


def live(studio: Studio) -> None:
    with studio.tab(studio.jonas) as asking, studio.tab(studio.mara) as chat:
        exchange = studio.asked(asking, texts.RAINBOW, *tokens(texts.RAINBOW_ANSWER))
        asking.see("round, and why")
        chat.open(f"{LIST}running/")
        studio.shoot(chat, "admin-live")
        exchange.finish()
        asking.see_status("complete")


SCENES: list[Callable[[Studio], None]] = [runs, live]
