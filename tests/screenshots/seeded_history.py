"""Models and some months of conversations, stored before the first screenshot is taken."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from conversations.models import Conversation, Endpoint, Generation, LanguageModel, Message, Role
from conversations.rules.status import EndReason, Status
from tests.screenshots import texts

MODELS = [
    ("aurora-2-large", "Aurora 2 Large", "2.50", "10.00"),
    ("aurora-2-mini", "Aurora 2 Mini", "0.25", "1.00"),
    ("heron-70b", "Heron 70B", "0.60", "0.80"),
]
MODEL, MINI, HERON = (name for name, *_ in MODELS)


@dataclass(frozen=True)
class Past:
    """An earlier conversation: title, age in days, how its last generation ended, and the written share of the
    answer."""

    title: str
    days: float
    reason: EndReason = EndReason.FINISHED
    model: str = MODEL
    share: float = 1.0
    fields: dict[str, Any] | None = None


def now() -> datetime:
    return timezone.now()


PINNED = {"pinned_at": now()}
HISTORY = [
    Past("Reading list for the book club", 3, fields=PINNED),
    Past("Sourdough: times and temperatures", 9, fields=PINNED, model=MINI),
    Past("Birthday poem for Ada", 0.1),
    Past("Why my SQL query is slow", 0.15, EndReason.STOPPED, share=0.4),
    Past("Explain mortgages like I am twelve", 1.02, model=MINI),
    Past("Translate the lease into plain English", 1.05, EndReason.LENGTH),
    Past("Names for a small grey cat", 1.1, EndReason.STOPPED, MINI, 0.2),
    Past("Training plan for ten kilometres", 2.4),
    Past("What to plant in a shady garden", 3.2, EndReason.LEFT, HERON, 0.6),
    Past("Notes for Monday's talk about caching, with examples from the billing system", 4.1),
    Past("רשימת קניות לסוף השבוע", 5.2, model=MINI),
    Past("Regular expression for ISO dates", 5.3, EndReason.RATE_LIMITED, HERON, 0.0),
    Past("A week of school lunches", 6.1, EndReason.CONNECTION_LOST, share=0.7),
    Past("Bike route along the Elbe", 16, EndReason.STOPPED, share=0.5),
    Past("How vaccines are tested", 18),
    Past("Letter of recommendation for Tomás", 24, model=HERON),
    Past("Chess openings for beginners", 41, EndReason.TIMED_OUT, HERON, 0.3),
    Past("Budget for the summer festival", 48),
    Past("Winter tyres: when and which", 75, EndReason.SERVER_SHUTDOWN, share=0.5),
]


def offer_models(base_url: str) -> None:
    endpoint = Endpoint.objects.create(name="Aurora", base_url=base_url, key_variable="OPENAI_API_KEY")
    for order, (name, label, price_in, price_out) in enumerate(MODELS):
        LanguageModel.objects.create(
            endpoint=endpoint,
            name=name,
            label=label,
            order=order,
            price_in=Decimal(price_in),
            price_out=Decimal(price_out),
            currency="EUR",
            default=order == 0,
            context_window=128_000,
        )


def converse(user: Any) -> None:
    for past in HISTORY:
        _converse(user, past)


def _converse(user: Any, past: Past) -> None:
    at = now() - timedelta(days=past.days)
    made = Conversation.objects.create(
        owner=user, title=past.title, model=past.model, created_at=at, active_at=at, **(past.fields or {})
    )
    prompt = Message.objects.create(conversation=made, role=Role.USER, content=past.title, created_at=at)
    text = texts.ANSWERS.get(past.title, texts.ANSWER)
    text = text[: int(len(text) * past.share)]
    answer = Message.objects.create(
        conversation=made,
        parent=prompt,
        role=Role.ASSISTANT,
        content=text,
        status=past.reason.status,
        created_at=at,
    )
    made.show(answer.pk)
    _run(user, past, made, answer, at)


def _run(user: Any, past: Past, made: Conversation, answer: Message, at: datetime) -> None:
    price_in, price_out = next((Decimal(i), Decimal(o)) for name, _label, i, o in MODELS if name == past.model)
    tokens_in, tokens_out = 40 + len(past.title), len(answer.content) // 4
    stopped = past.reason.status == Status.INTERRUPTED
    end = at + timedelta(seconds=1 + 12 * past.share)
    Generation.objects.create(
        conversation=made,
        message=answer,
        requested_by=user,
        kind="reply",
        endpoint="api.aurora.example",
        model=past.model,
        status=past.reason.status,
        end_reason=past.reason,
        detail="HTTP 429: slow down" if past.reason == EndReason.RATE_LIMITED else "",
        retry_after=20 if past.reason == EndReason.RATE_LIMITED else None,
        requested_at=at,
        opened_at=at + timedelta(milliseconds=180),
        first_token_at=at + timedelta(milliseconds=420) if tokens_out else None,
        stop_requested_at=end - timedelta(milliseconds=14) if stopped else None,
        stop_reason=past.reason if stopped else "",
        stop_origin="page" if past.reason == EndReason.STOPPED else "",
        stopped_by=user if past.reason == EndReason.STOPPED else None,
        upstream_closed_at=end - timedelta(milliseconds=5),
        ended_at=end,
        characters=len(answer.content),
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        usage_source="estimated" if stopped else "provider",
        price_in=price_in,
        price_out=price_out,
        currency="EUR",
        cost=(tokens_in * price_in + tokens_out * price_out) / 1_000_000,
    )
