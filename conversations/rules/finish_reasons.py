"""What a provider's word for the end of an answer means (`finish_reason`): each words it differently. No I/O.

A word that is on no list does not make an answer complete: it may be one for a failure.
"""

from .provider_errors import safe_code
from .status import LENGTH, REFUSAL, THOUGHT, EndReason, Outcome

FINISHED = {"stop", "stopped", "end", "end_turn", "stop_sequence", "stop_token", "eos", "eos_token", "end_of_text"} | {
    "end_of_sequence", "complete", "completed", "done", "finish", "finished", "success"
}  # fmt: skip
AT_LENGTH = {"length", "max_tokens", "max_output_tokens", "max_completion_tokens", "max_length", "model_length"} | {
    "model_context_window_exceeded", "context_length_exceeded", "context_window_exceeded"
}  # fmt: skip
FILTERED = {"content_filter", "content_filtered", "filter", "safety", "recitation", "blocklist", "moderation"} | {
    "prohibited_content", "spii", "sensitive", "guardrail_intervened", "error_toxic", "image_safety"
}  # fmt: skip
REFUSED = {"refusal"}
FOR_A_TOOL = {"tool_calls", "tool_call", "tool_use", "function_call", "malformed_function_call", "pause_turn"}
TOO_SLOW = {"time_limit", "timeout", "timed_out"}
FAILED = {"error", "abort", "aborted", "cancel", "cancelled", "canceled", "failed", "incomplete", "repetition"} | {
    "insufficient_system_resource", "network_error", "engine_error", "internal_error", "server_error", "overloaded"
}  # fmt: skip
"""The words of OpenAI and of those that speak like it, in lower case: Mistral, DeepSeek, Anthropic, Gemini, Cohere,
Zhipu, OpenRouter, LiteLLM, vLLM, llama.cpp, Text Generation Inference …"""

REASONS = (
    (FINISHED, EndReason.FINISHED),
    (AT_LENGTH, EndReason.LENGTH),
    (FILTERED, EndReason.CONTENT_FILTER),
    (REFUSED, EndReason.CONTENT_FILTER),
    (FOR_A_TOOL, EndReason.TOOL_CALL),
    (TOO_SLOW, EndReason.TIMED_OUT),
    (FAILED, EndReason.PROVIDER_FAILED),
)
PLAIN = {"stop", "length", "content_filter"}
"""Words that say no more than the reason does."""


def outcome_of(word: str, *, written: bool, thought: bool) -> Outcome:
    """How an answer ended that the provider ends with `word`. An end of its own needs something that was written."""
    plain = word.strip().lower()
    reason = next((reason for words, reason in REASONS if plain in words), EndReason.UNCLEAR)
    if not written and reason in (EndReason.FINISHED, EndReason.LENGTH, EndReason.CONTENT_FILTER):
        return _nothing(plain, reason, thought=thought)
    known = plain in PLAIN or reason in (EndReason.FINISHED, EndReason.LENGTH)
    code = "" if known else safe_code(plain) or "other"
    detail = "the provider's word for the end is not known" if reason == EndReason.UNCLEAR else ""
    return Outcome(reason, code, detail)


def _nothing(word: str, reason: EndReason, *, thought: bool) -> Outcome:
    if word in REFUSED:
        return Outcome(EndReason.EMPTY, REFUSAL)
    if reason == EndReason.CONTENT_FILTER:
        return Outcome(reason, "" if word in PLAIN else safe_code(word))
    if reason == EndReason.LENGTH:
        return Outcome(EndReason.EMPTY, THOUGHT if thought else LENGTH)
    return Outcome(EndReason.EMPTY, detail="the model thought and wrote nothing" if thought else "")
