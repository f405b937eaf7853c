"""Parses an endpoint's list of models: their names, whether they can chat, their context windows. No I/O.

The API itself defines only a name and a time. The other fields are extensions of servers: OpenRouter `architecture` and
`context_length`, Mistral `capabilities`, Together `type`, Groq `active` and `context_window`, vLLM `max_model_len`,
llama.cpp `meta`. Without a field that says what a model is for, its name decides.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_MODELS = 2000
"""Models of one endpoint; the rest of the list is ignored."""

MAX_NAME_LENGTH = 200

MIN_WINDOW, MAX_WINDOW = 64, 100_000_000
"""Limits of a plausible context window, in tokens."""

WINDOWS = ("max_model_len", "context_window", "context_length", "max_context_length")
"""Fields that contain the context window in tokens."""

OTHER_KINDS = re.compile(
    r"""
    \b(?: \w*embed\w* | bge | gte | e5 | \w*minilm\w* | colbert | rerank\w* | paraphrase
        | whisper | \w*tts\d* | transcri\w+ | speech | audio | realtime | voice
        | dall | dalle | image | imagen | sora | veo | flux | sdxl | diffusion | video
        | \w*moderation | guard\d* | shieldgemma | babbage | davinci | aqa )\b
    | \* | gpt-3\.5-turbo-instruct | codex | deep-research | computer-use
    | \b(?: o\d | gpt-5(?:\.\d+)? )-pro\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Names of models that cannot chat: models for embeddings, sound, pictures or moderation, models of OpenAI with an API
other than Chat Completions, and LiteLLM's patterns, which are not models."""

OLD = re.compile(r"gpt-3\.5|\bgpt-4(?!o|\.\d|\d)|claude-(?:instant|2)|legacy|deprecated|obsolete", re.IGNORECASE)
"""Names of old models that should not be preselected."""

UNUSUAL = re.compile(r"preview|beta|experimental|search|\d{4}-?\d{2}-?\d{2}|-\d{4}\b", re.IGNORECASE)
"""Names of snapshots and previews, which are preselected only without an alternative."""

CHAT_KINDS = frozenset({"chat", "chat-completion", "llm", "vlm", "text-generation"})
NO_CHAT_KINDS = frozenset(
    {"embedding", "embeddings", "image", "audio", "video", "rerank", "moderation", "transcribe", "tts", "speech"}
)


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One model of a list. `window`: its context window in tokens, if the list has it. `created`: Unix time, or 0."""

    name: str
    chats: bool = True
    window: int | None = None
    created: int = 0


def parse(payload: object) -> tuple[ListedModel, ...]:
    """The models of a decoded list, sorted by name, each once. Raises ValueError if it is not a list of models."""
    entries = payload.get("data") if isinstance(payload, Mapping) else payload
    if not isinstance(entries, Sequence) or isinstance(entries, str | bytes):
        raise ValueError("not a list of models")  # noqa: TRY004 - a value from outside
    found: dict[str, ListedModel] = {}
    for entry in entries:
        name = entry.get("id") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and is_usable_name(name) and len(found) < MAX_MODELS:
            found.setdefault(
                name, ListedModel(name, _chats(name, entry), _window(entry), _timestamp(entry.get("created")))
            )
    return tuple(sorted(found.values(), key=lambda model: model.name))


def is_usable_name(name: str) -> bool:
    """Whether this can be the name of a model: it appears in pages, logs and requests, so it must be printable."""
    return 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable() and bool(name.strip())


def is_plausible_window(window: object) -> bool:
    """Whether this is a plausible context window in tokens."""
    return isinstance(window, int) and not isinstance(window, bool) and MIN_WINDOW <= window <= MAX_WINDOW


def preferred(models: Iterable[ListedModel]) -> ListedModel | None:
    """The best model to preselect: no old one, a plain name before a snapshot, the newest of those. None if there is
    none."""
    fit = [model for model in models if model.chats and not OLD.search(model.name)]
    return min(fit, key=_rank, default=None)


def _rank(model: ListedModel) -> tuple[bool, int, int, str]:
    return bool(UNUSUAL.search(model.name)), -model.created, len(model.name), model.name


def _chats(name: str, entry: Mapping[str, Any]) -> bool:
    declared = _declared_chat(entry)
    return declared if declared is not None else not OTHER_KINDS.search(name)


def _declared_chat(entry: Mapping[str, Any]) -> bool | None:
    """Whether the fields say that the model can chat; None if they do not say."""
    if entry.get("active") is False:
        return False
    flags = (_field(entry, "supports_chat"), _field(entry, "capabilities", "completion_chat"))
    says = [flag for flag in flags if isinstance(flag, bool)] + _by_modalities(entry) + _by_kind(entry)
    return says[0] if says else None


def _by_modalities(entry: Mapping[str, Any]) -> list[bool]:
    for path in (("architecture", "output_modalities"), ("output_modalities",)):
        written = _field(entry, *path)
        if isinstance(written, list):
            return ["text" in written]
    modality = _field(entry, "architecture", "modality")
    return ["text" in modality.rpartition("->")[2]] if isinstance(modality, str) else []


def _by_kind(entry: Mapping[str, Any]) -> list[bool]:
    for name in ("type", "mode", "task", "model_type"):
        kind = entry.get(name)
        if isinstance(kind, str) and kind.lower() in CHAT_KINDS | NO_CHAT_KINDS:
            return [kind.lower() in CHAT_KINDS]
    return []


def _window(entry: Mapping[str, Any]) -> int | None:
    said = [_field(entry, "top_provider", "context_length"), _field(entry, "meta", "n_ctx")]
    said += [entry.get(name) for name in WINDOWS]
    return min((int(window) for window in said if is_plausible_window(window)), default=None)


def _field(entry: Mapping[str, Any], *path: str) -> Any:
    """The value at a path of keys; None if a part of the path is missing."""
    found: Any = entry
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _timestamp(value: object) -> int:
    """A plausible Unix time, or 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 40 else 0
