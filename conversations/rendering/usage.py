"""What answers used and cost: counted after their end where the provider did not say, shown to people where allowed."""

from decimal import Decimal

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import ngettext

from conversations.models import Generation, UsageSource

# --- what people see -------------------------------------------------------------------------------------------------


def of(run: Generation) -> str:
    """Tokens and cost of an answer in one line; "" where there are none, or nothing of it is shown. What the title of
    the conversation took stands in the sums only."""
    tokens_in, tokens_out = run.answer_tokens
    if settings.CHAT_SHOW_USAGE == "no" or tokens_in is None or tokens_out is None:
        return ""
    about = "≈ " if run.usage_source == UsageSource.ESTIMATED else ""
    line = f"{about}{tokens(tokens_in + tokens_out)}"
    price = money(run.answer_cost, run.currency) if settings.CHAT_SHOW_USAGE == "cost" else ""
    return f"{line} · {price}" if price else line


def tokens(count: int) -> str:
    return ngettext("%(count)s token", "%(count)s tokens", count) % {"count": number_format(count, force_grouping=True)}


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency; small ones with as many places as it takes to see something."""
    if amount is None or not currency:
        return ""
    places = 2 if amount >= 1 or not amount else min(8, 1 - amount.adjusted())
    return f"{number_format(round(amount, places), places, force_grouping=True)} {currency}"
