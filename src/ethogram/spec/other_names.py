"""What other libraries call the settings of a decoding, for the hint of an unknown-field error.

Names of transformers, vLLM, llama.cpp, Ollama, text-generation-inference, and the OpenAI, Anthropic
and Gemini APIs.
"""

from __future__ import annotations

#: Each setting, and names for the same thing elsewhere.
_SAME = {
    "max_new_tokens": (
        "max_tokens max_length max_completion_tokens max_output_tokens maxOutputTokens "
        "max_tokens_to_sample num_predict n_predict max_gen_len max_gen_toks"
    ),
    "min_new_tokens": "min_tokens min_length",
    "stop": "stop_sequences stopSequences stop_strings stop_words stop_string until reverse_prompt",
    "stop_token_ids": "eos_token_id eos_token_ids stop_tokens stop_ids",
    "temperature": "temp",
    "top_n_sigma": "nsigma n_sigma",
    "typical_p": "typical typ_p typical_mass",
    "repetition_penalty": "repeat_penalty rep_pen penalty_repeat repetition",
    "frequency_penalty": "repeat_frequency frequency_repeat",
    "bad_words": "bad_words_ids suppress_tokens banned_tokens banned_strings",
    "logit_bias": "sequence_bias",
    "order": "samplers sampler_order sampler_priority sampler_seq",
    "num_beams": "use_beam_search beam_width beam_size n_beams",
    "guidance_scale": "cfg_scale guidance cfg",
    "contrastive.amateur": "amateur_model",
    "dola_layers": "dola",
    "prompt_lookup_num_tokens": "prompt_lookup",
}
_OTHER = {
    "do_sample": "in decoding, write `strategy: sample` for true, `strategy: greedy` for false",
    "sampling": "in decoding, write `strategy: sample`",
    "seed": "set `seed` in study.yaml, for all versions of the study",
    "random_seed": "set `seed` in study.yaml, for all versions of the study",
    "n": "set `samples` in the version, beside decoding",
    "num_return_sequences": "set `samples` in the version, beside decoding",
    "num_samples": "set `samples` in the version, beside decoding",
    "repeat_last_n": "repetition_penalty reads all of prompt and output; DRY has a window, "
    "`dry: {penalty_last_n: 64}`",
    "mirostat_mode": "only mirostat 2 exists; `mirostat: {tau: 5}` turns it on",
    "ignore_eos": "set min_new_tokens to max_new_tokens",
    "tfs_z": "tail-free sampling is not supported; min_p or typical_p come near",
    "tfs": "tail-free sampling is not supported; min_p or typical_p come near",
    "top_a": "top-a is not supported; min_p comes near",
    "dynatemp_range": "dynamic temperature is not supported",
    "logprobs": "log-probabilities are always stored; leave it out",
    "system": "set `system` in prompt, beside decoding",
    "chat": "set `chat` in prompt, beside decoding",
}
#: A hint for each foreign name.
HINTS: dict[str, str] = {
    other: f"did you mean {name!r}?" for name, others in _SAME.items() for other in others.split()
} | _OTHER
_DIVERSE = "diverse beam search was removed; delete this line, and sample for different outputs"
#: Settings of earlier versions that no longer exist.
REMOVED: dict[str, str] = {"num_beam_groups": _DIVERSE, "diversity_penalty": _DIVERSE}
