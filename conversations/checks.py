"""Combinations of settings that start, but should not stay as they are."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from conversations.rules.frame_size import max_frame_size


@register(Tags.security)
def debug_is_for_this_machine(**kwargs: Any) -> list[CheckMessage]:
    """Error pages with details show settings and code to everybody who can reach the server."""
    if settings.DEBUG and not settings.LOOPBACK:
        return [
            Warning("DEBUG is on, and HOST can be reached from other machines.", hint="Unset DEBUG.", id="chat.W001")
        ]
    return []


@register(Tags.security)
def other_machines_need_https(**kwargs: Any) -> list[CheckMessage]:
    """Over plain http, passwords and conversations can be read on the way."""
    if settings.HTTPS or settings.LOOPBACK:
        return []
    return [
        Warning(
            "HOST can be reached from other machines, and not all ALLOWED_ORIGINS are https.",
            hint="Put a proxy with TLS in front, and list its https origin only.",
            id="chat.W002",
        )
    ]


@register(Tags.security)
def origins_are_of_one_kind(**kwargs: Any) -> list[CheckMessage]:
    """One origin over plain http is enough: cookies have to work for it, so they are not secure for anybody."""
    if settings.HTTPS or not any(origin.startswith("https://") for origin in settings.ALLOWED_ORIGINS):
        return []
    return [
        Warning(
            "ALLOWED_ORIGINS names http beside https, so nobody gets secure cookies, a redirect to https, or HSTS.",
            hint="List https origins only.",
            id="chat.W005",
        )
    ]


@register
def leases_outlive_saving(**kwargs: Any) -> list[CheckMessage]:
    """A lease is renewed each time the text is saved; one that ends before that loses answers that are well."""
    if settings.CHAT_LEASE < 4 * settings.CHAT_SAVE_INTERVAL:
        return [
            Warning(
                "CHAT_LEASE is so short that a slow save would count as a lost process.",
                hint="Make it at least four times CHAT_SAVE_INTERVAL.",
                id="chat.W003",
            )
        ]
    return []


@register
def frames_hold_prompts(**kwargs: Any) -> list[CheckMessage]:
    """A prompt of the longest kind has to fit into one frame, with the instructions of a new conversation."""
    needed = max_frame_size(settings.CHAT_MAX_PROMPT)
    if needed > settings.CHAT_MAX_FRAME:
        return [
            Warning(
                "A prompt of CHAT_MAX_PROMPT characters may not fit into CHAT_MAX_FRAME bytes.",
                hint=f"Unset CHAT_MAX_FRAME, which then follows the prompt, or make it at least {needed}.",
                id="chat.W004",
            )
        ]
    return []
