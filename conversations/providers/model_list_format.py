"""What an endpoint's list of models says: their names, whether they chat, how much fits into them. No I/O.

The API's own form has a name and a time only; whatever else is read here is what some server adds to it: OpenRouter
`architecture` and `context_length`, Mistral `capabilities`, Together `type`, Groq `active` and `context_window`, vLLM
`max_model_len`, llama.cpp `meta`. Where no field says what a model is for, its name does.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST = 2000
"""Models of one endpoint."""

LONGEST_NAME = 200

SMALLEST_WINDOW, LARGEST_WINDOW = 64, 100_000_000
"""Tokens; what lies outside is no context window, whoever says it."""

WINDOWS = ("max_model_len", "context_window", "context_length", "max_context_length")
"""Fields that hold a model's context window in tokens."""

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
"""Names of models that are no use in a chat: for embeddings, sound, pictures, moderation; those of OpenAI that have
another API than Chat Completions; and LiteLLM's patterns, which name no model."""

OLD = re.compile(r"gpt-3\.5|\bgpt-4(?!o|\.\d|\d)|claude-(?:instant|2)|legacy|deprecated|obsolete", re.IGNORECASE)
"""Models that are still listed, and that nobody should get without choosing them."""

UNUSUAL = re.compile(r"preview|beta|experimental|search|\d{4}-?\d{2}-?\d{2}|-\d{4}\b", re.IGNORECASE)
"""Snapshots and trials of models: a plain name is the better choice."""

CHAT_KINDS = frozenset({"chat", "chat-completion", "llm", "vlm", "text-generation"})
NO_CHAT_KINDS = frozenset(
    {"embedding", "embeddings", "image", "audio", "video", "rerank", "moderation", "transcribe", "tts", "speech"}
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A model as a list has it. `window`: tokens of its context, where the list says. `created`: Unix time, or 0."""

    name: str
    chats: bool = True
    window: int | None = None
    created: int = 0


def read(payload: object) -> tuple[Listed, ...]:
    """The models of a list as it came, by name, each once. Raises ValueError where it is none."""
    entries = payload.get("data") if isinstance(payload, Mapping) else payload
    if not isinstance(entries, Sequence) or isinstance(entries, str | bytes):
        raise ValueError("not a list of models")  # noqa: TRY004 - of values that came from outside
    found: dict[str, Listed] = {}
    for entry in entries:
        name = entry.get("id") if isinstance(entry, Mapping) else None
        if isinstance(name, str) and usable(name) and len(found) < MOST:
            found.setdefault(name, Listed(name, _chats(name, entry), _window(entry), _whole(entry.get("created"))))
    return tuple(sorted(found.values(), key=lambda model: model.name))


def usable(name: str) -> bool:
    """Whether this can be a model's name: it goes into pages, logs and requests, so it has no control characters."""
    return 0 < len(name) <= LONGEST_NAME and name.isprintable() and bool(name.strip())


def believable(window: object) -> bool:
    """Whether this can be a number of tokens that fit into a model."""
    return isinstance(window, int) and not isinstance(window, bool) and SMALLEST_WINDOW <= window <= LARGEST_WINDOW


def preferred(models: Iterable[Listed]) -> Listed | None:
    """Of models that an administrator has said nothing about, the one to begin with: none that is old, rather the plain
    name than a snapshot, of those the newest. None where nothing is left."""
    fit = [model for model in models if model.chats and not OLD.search(model.name)]
    return min(fit, key=_place, default=None)


def _place(model: Listed) -> tuple[bool, int, int, str]:
    return bool(UNUSUAL.search(model.name)), -model.created, len(model.name), model.name


def _chats(name: str, entry: Mapping[str, Any]) -> bool:
    said = _said(entry)
    return said if said is not None else not OTHER_KINDS.search(name)


def _said(entry: Mapping[str, Any]) -> bool | None:
    """What the fields say about chatting; None where they say nothing."""
    if entry.get("active") is False:
        return False
    flags = (_field(entry, "supports_chat"), _field(entry, "capabilities", "completion_chat"))
    says = [flag for flag in flags if isinstance(flag, bool)] + _by_modalities(entry) + _by_kind(entry)
    return says[0] if says else None


def _by_modalities(entry: Mapping[str, Any]) -> list[bool]:
    for way in (("architecture", "output_modalities"), ("output_modalities",)):
        written = _field(entry, *way)
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
    return min((int(window) for window in said if believable(window)), default=None)


def _field(entry: Mapping[str, Any], *way: str) -> Any:
    """What stands there, however much of the way is missing."""
    found: Any = entry
    for name in way:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _whole(value: object) -> int:
    """A time that can be compared; 0 for whatever is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 40 else 0
