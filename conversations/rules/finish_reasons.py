"""Maps a provider's `finish_reason` to an outcome; providers use different words for the same thing.

An unknown word does not make an answer complete, because it may mean a failure.
"""

from .provider_error_outcomes import safe_code
from .status import LENGTH, REFUSAL, THOUGHT, EndReason, Outcome

FINISHED = {"stop", "stopped", "end", "end_turn", "stop_sequence", "stop_token", "eos", "eos_token", "end_of_text"} | {
    "end_of_sequence", "complete", "completed", "done", "finish", "finished", "success"
}  # fmt: skip
LENGTH_LIMIT = {"length", "max_tokens", "max_output_tokens", "max_completion_tokens", "max_length", "model_length"} | {
    "model_context_window_exceeded", "context_length_exceeded", "context_window_exceeded"
}  # fmt: skip
FILTERED = {"content_filter", "content_filtered", "filter", "safety", "recitation", "blocklist", "moderation"} | {
    "prohibited_content", "spii", "sensitive", "guardrail_intervened", "error_toxic", "image_safety"
}  # fmt: skip
REFUSED = {"refusal"}
TOOL_CALLS = {"tool_calls", "tool_call", "tool_use", "function_call", "malformed_function_call", "pause_turn"}
TIMED_OUT = {"time_limit", "timeout", "timed_out"}
FAILED = {"error", "abort", "aborted", "cancel", "cancelled", "canceled", "failed", "incomplete", "repetition"} | {
    "insufficient_system_resource", "network_error", "engine_error", "internal_error", "server_error", "overloaded"
}  # fmt: skip
"""Finish reasons in lower case, of OpenAI and of compatible APIs: Mistral, DeepSeek, Anthropic, Gemini, Cohere, Zhipu,
OpenRouter, LiteLLM, vLLM, llama.cpp, Text Generation Inference …"""

REASONS = (
    (FINISHED, EndReason.FINISHED),
    (LENGTH_LIMIT, EndReason.LENGTH),
    (FILTERED, EndReason.CONTENT_FILTER),
    (REFUSED, EndReason.CONTENT_FILTER),
    (TOOL_CALLS, EndReason.TOOL_CALL),
    (TIMED_OUT, EndReason.TIMED_OUT),
    (FAILED, EndReason.PROVIDER_FAILED),
)
PLAIN = {"stop", "length", "content_filter"}
"""Words that add nothing to our own reason, so they are not stored as a code."""


def outcome_of(word: str, *, written: bool, thought: bool) -> Outcome:
    """Return the outcome for the finish reason `word`.

    `written`: the answer has text; without any, no finish reason makes it complete. `thought`: there was reasoning.
    """
    plain = word.strip().lower()
    reason = next((reason for words, reason in REASONS if plain in words), EndReason.UNCLEAR)
    if not written and reason in (EndReason.FINISHED, EndReason.LENGTH, EndReason.CONTENT_FILTER):
        return _empty(plain, reason, thought=thought)
    known = plain in PLAIN or reason in (EndReason.FINISHED, EndReason.LENGTH)
    code = "" if known else safe_code(plain) or "other"
    detail = "the provider's word for the end is not known" if reason == EndReason.UNCLEAR else ""
    return Outcome(reason, code, detail)


def _empty(word: str, reason: EndReason, *, thought: bool) -> Outcome:
    if word in REFUSED:
        return Outcome(EndReason.EMPTY, REFUSAL)
    if reason == EndReason.CONTENT_FILTER:
        return Outcome(reason, "" if word in PLAIN else safe_code(word))
    if reason == EndReason.LENGTH:
        return Outcome(EndReason.EMPTY, THOUGHT if thought else LENGTH)
    return Outcome(EndReason.EMPTY, detail="the model thought and wrote nothing" if thought else "")
