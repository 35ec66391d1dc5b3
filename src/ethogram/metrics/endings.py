"""How outputs ended, in the words of many programs. Knows words only."""

from __future__ import annotations

#: Fields that say it where `finish_reason` does not: Anthropic, Gemini, Ollama, llama.cpp.
ENDING_FIELDS = ("stop_reason", "finishReason", "stopReason", "done_reason", "stop_type")
#: What the words of other programs mean here; any other word counts as unknown. A tool call ends
#: an output as a stop string does: the model was done. A filter or a refusal is not known to be
#: an end that the model chose.
_MEANINGS = {
    "eos": ("eos", "end_turn", "eos_token", "stopped_eos", "endoftext"),
    "stop": (
        "stop",
        "stop_sequence",
        "stop_string",
        "stop_token",
        "stopped_word",
        "word",
        "complete",
        "completed",
        "tool_calls",
        "tool_call",
        "tool_use",
        "function_call",
    ),
    "length": (
        "length",
        "max_length",
        "max_tokens",
        "max_output_tokens",
        "max_new_tokens",
        "max_completion_tokens",
        "model_length",
        "model_context_window_exceeded",
        "limit",
        "token_limit",
        "stopped_limit",
        "incomplete",
        "truncated",
    ),
    "closed": ("closed",),
    "loop": ("loop", "repetition_detected"),
}
FINISH_REASONS = {word: end for end, words in _MEANINGS.items() for word in words}


def finish_reason(word: str) -> str:
    """`eos`, `stop`, `length`, `loop` or `unknown` for another program's word, in any case.

    >>> finish_reason("MAX_TOKENS"), finish_reason("FinishReason.STOP"), finish_reason("SAFETY")
    ('length', 'stop', 'unknown')
    """
    name = word.rsplit(".", 1)[-1].strip().lower().replace("-", "_").replace(" ", "_")
    return FINISH_REASONS.get(name, "unknown")
