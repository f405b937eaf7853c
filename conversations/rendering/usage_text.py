"""Tokens and costs in words."""

from decimal import Decimal

from django.conf import settings
from django.utils.formats import number_format
from django.utils.translation import ngettext

from conversations.models import Generation, UsageSource


def answer_usage(generation: Generation) -> str:
    """Tokens and cost of an answer in one line; "" if they are unknown or not shown. Leaves out the tokens that went
    into the conversation's title: they count only in sums."""
    tokens_in, tokens_out = generation.answer_tokens
    if settings.CHAT_SHOW_USAGE == "no" or tokens_in is None or tokens_out is None:
        return ""
    about = "≈ " if generation.usage_source == UsageSource.ESTIMATED else ""
    line = f"{about}{tokens(tokens_in + tokens_out)}"
    price = money(generation.answer_cost, generation.currency) if settings.CHAT_SHOW_USAGE == "cost" else ""
    return f"{line} · {price}" if price else line


def tokens(count: int) -> str:
    """For example "1,234 tokens"."""
    return ngettext("%(count)s token", "%(count)s tokens", count) % {"count": number_format(count, force_grouping=True)}


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency, small ones with as many decimal places as they need; "" if either is unknown."""
    if amount is None or not currency:
        return ""
    places = 2 if amount >= 1 or not amount else min(8, 1 - amount.adjusted())
    return f"{number_format(round(amount, places), places, force_grouping=True)} {currency}"
