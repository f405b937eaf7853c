"""System checks for settings with which the server starts, but which should be changed."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register

from conversations.rules.frame_size import max_frame_size


@register(Tags.security)
def debug_only_on_loopback(**kwargs: Any) -> list[CheckMessage]:
    """Debug pages show settings and code to everybody who can reach the server."""
    if settings.DEBUG and not settings.LOOPBACK:
        return [
            Warning("DEBUG is on, and HOST can be reached from other machines.", hint="Unset DEBUG.", id="chat.W001")
        ]
    return []


@register(Tags.security)
def https_for_other_machines(**kwargs: Any) -> list[CheckMessage]:
    """Over plain http, anybody on the network can read passwords and conversations."""
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
def origins_not_mixed(**kwargs: Any) -> list[CheckMessage]:
    """With one plain http origin, cookies cannot be marked secure for anybody, because they must work for that one."""
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
def lease_longer_than_saves(**kwargs: Any) -> list[CheckMessage]:
    """Leases are renewed with each save. One that expires earlier ends healthy generations."""
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
def prompt_fits_frame(**kwargs: Any) -> list[CheckMessage]:
    """The longest prompt must fit into one frame, together with the system prompt of a new conversation."""
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
