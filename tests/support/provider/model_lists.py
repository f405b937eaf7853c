"""Lists of models as real servers send them, with the fields and kinds of names that each server uses."""

from typing import Any

OPENAI = {
    "gpt-4-0613": 1686588896, "gpt-4": 1687882411, "gpt-3.5-turbo": 1677610602, "gpt-3.5-turbo-instruct": 1692901427,
    "gpt-3.5-turbo-instruct-0914": 1694122472, "davinci-002": 1692634301, "babbage-002": 1692634615,
    "dall-e-3": 1698785189, "dall-e-2": 1698798177, "tts-1": 1681940951, "tts-1-hd": 1699046015,
    "whisper-1": 1677532384, "text-embedding-ada-002": 1671217299, "text-embedding-3-small": 1705948997,
    "text-embedding-3-large": 1705953180, "gpt-4-turbo": 1712361441, "gpt-4o": 1715367049,
    "gpt-4o-2024-05-13": 1715368132, "gpt-4o-mini": 1721172741, "chatgpt-4o-latest": 1723515131,
    "gpt-4o-realtime-preview": 1727659998, "gpt-4o-audio-preview": 1727460443, "omni-moderation-latest": 1731689265,
    "o1": 1734375816, "o1-pro": 1742251791, "o3-mini": 1737146383, "o3": 1744225308, "o4-mini": 1744225351,
    "gpt-4o-search-preview": 1741388720, "gpt-4o-transcribe": 1742068463, "gpt-4o-mini-tts": 1742403959,
    "computer-use-preview": 1734655677, "gpt-4.1": 1744316542, "gpt-4.1-mini": 1744318173, "gpt-4.1-nano": 1744321025,
    "gpt-image-1": 1745517030, "codex-mini-latest": 1746673257, "o3-pro": 1748475349,
    "o4-mini-deep-research": 1749685485,
    "gpt-5": 1754425777, "gpt-5-2025-08-07": 1754075360, "gpt-5-mini": 1754425928, "gpt-5-nano": 1754426384,
    "gpt-5-chat-latest": 1754073306, "gpt-5-codex": 1757527818, "gpt-5-pro": 1759469822, "gpt-audio": 1756339249,
    "gpt-realtime": 1756271701, "sora-2": 1759708615, "gpt-5.1": 1762800673, "gpt-5.1-2025-11-13": 1762800353,
}  # fmt: skip
"""OpenAI's names, with the creation time that it lists for each."""

OLLAMA = ("llama3.2:latest", "qwen3:8b", "gemma3:12b", "llava:7b", "nomic-embed-text:latest",
          "mxbai-embed-large:latest", "bge-m3:latest", "all-minilm:l6-v2", "snowflake-arctic-embed2:latest",
          "llama-guard3:8b")  # fmt: skip

LITELLM = ("gpt-4o", "claude-sonnet-4-5", "openai/*", "text-embedding-3-small", "azure/whisper", "cohere/rerank-v3.5",
           "vertex_ai/imagen-4.0-generate-001", "bedrock/amazon.titan-embed-text-v2:0",
           "gemini/gemini-2.5-pro")  # fmt: skip


def _openrouter(name: str, window: int, *writes: str, reads: tuple[str, ...] = ("text",)) -> dict[str, Any]:
    return {
        "id": name, "canonical_slug": name, "name": name, "created": 1754425777, "context_length": window,
        "architecture": {
            "modality": f"{'+'.join(reads)}->{'+'.join(writes)}", "input_modalities": [*reads],
            "output_modalities": [*writes], "tokenizer": "GPT", "instruct_type": None,
        },
        "pricing": {"prompt": "0.00000125", "completion": "0.00001", "request": "0"},
        "top_provider": {"context_length": window, "max_completion_tokens": 128000, "is_moderated": True},
        "per_request_limits": None, "supported_parameters": ["max_tokens", "temperature", "tools"],
    }  # fmt: skip


def _model(name: str, created: int, owner: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created, "owned_by": owner, **more}


LLAMA_CPP = "/models/Qwen3-8B-Q4_K_M.gguf"

MODEL_LISTS: dict[str, Any] = {
    "openai": {"object": "list", "data": [_model(name, at, "system") for name, at in OPENAI.items()]},
    "openrouter": {
        "data": [
            _openrouter("openai/gpt-5-pro", 400_000, "text", reads=("image", "text")),
            _openrouter("google/gemini-2.5-flash-image", 32_768, "image", "text", reads=("image", "text")),
            _openrouter("anthropic/claude-sonnet-4.5", 1_000_000, "text", reads=("text", "image")),
            _openrouter("black-forest-labs/flux.2-pro", 46_864, "image"),
            _openrouter("openai/text-embedding-3-small", 8192, "embeddings"),
        ]
    },
    "ollama": {"object": "list", "data": [_model(name, 1750000000, "library") for name in OLLAMA]},
    "llama.cpp": {
        "models": [
            {
                "name": LLAMA_CPP, "model": LLAMA_CPP, "modified_at": "", "size": "", "digest": "", "type": "model",
                "description": "", "tags": [""], "capabilities": ["completion"], "parameters": "",
                "details": {"parent_model": "", "format": "gguf", "family": "", "families": [""]},
            }
        ],
        "object": "list",
        "data": [
            _model(
                LLAMA_CPP, 1754425777, "llamacpp",
                meta={"vocab_type": 2, "n_vocab": 151936, "n_ctx": 2048, "n_ctx_train": 40960, "n_embd": 4096},
            )
        ],
    },
    "vllm": {
        "object": "list",
        "data": [
            _model(
                "Qwen/Qwen3-8B", 1754425777, "vllm", root="Qwen/Qwen3-8B", parent=None, max_model_len=400,
                permission=[{"id": "modelperm-1", "object": "model_permission", "allow_sampling": True}],
            )
        ],
    },
    "litellm": {"object": "list", "data": [_model(name, 1677610602, "openai") for name in LITELLM]},
}  # fmt: skip

CHAT_MODELS = {
    "openai": {
        "gpt-4-0613", "gpt-4", "gpt-3.5-turbo", "gpt-4-turbo", "gpt-4o", "gpt-4o-2024-05-13", "gpt-4o-mini",
        "chatgpt-4o-latest", "o1", "o3-mini", "o3", "o4-mini", "gpt-4o-search-preview", "gpt-4.1", "gpt-4.1-mini",
        "gpt-4.1-nano", "gpt-5", "gpt-5-2025-08-07", "gpt-5-mini", "gpt-5-nano", "gpt-5-chat-latest", "gpt-5.1",
        "gpt-5.1-2025-11-13",
    },
    "openrouter": {"openai/gpt-5-pro", "google/gemini-2.5-flash-image", "anthropic/claude-sonnet-4.5"},
    "ollama": {"llama3.2:latest", "qwen3:8b", "gemma3:12b", "llava:7b"},
    "llama.cpp": {LLAMA_CPP},
    "vllm": {"Qwen/Qwen3-8B"},
    "litellm": {"gpt-4o", "claude-sonnet-4-5", "gemini/gemini-2.5-pro"},
}  # fmt: skip
"""The chat models of each list."""
