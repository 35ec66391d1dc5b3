"""Tiny random models of any architecture of transformers, made by shrinking its default sizes."""

from __future__ import annotations

from typing import Any

#: A model that is larger when shrunk is not built.
MOST_PARAMETERS = 30_000_000
#: With 52 new tokens they leave a window of 32 positions and the first 64 positions of a slot.
PROMPTS = (
    "the cat sat on the",
    "the dog ran to the house of the old man who was there",
    "0 1 2 3 4 5 6 7 8 9",
)
#: Sizes of a tiny model, by the names that configurations give them.
_NAMES_OF_SIZES = {
    32: "hidden_size d_model n_embd dim embed_dim model_dim decoder_hidden_size hidden_dim "
    "dim_model embedding_size encoder_hidden_dim attention_hidden_size lru_width "
    "hidden_size_per_layer_input word_embed_proj_dim sliding_window attention_window_size "
    "local_attention",
    64: "intermediate_size ffn_hidden_size d_ff encoder_ffn_dim decoder_ffn_dim ffn_dim dim_ff "
    "dense_intermediate_size intermediate_size_mlp feed_forward_size dff window_size",
    16: "moe_intermediate_size shared_expert_intermediate_size expert_ffn_hidden_size "
    "shared_intermediate_size moe_ffn_dim router_hidden_size expert_dim kv_lora_rank q_lora_rank "
    "dt_rank time_step_rank",
    2: "num_hidden_layers n_layer num_layers n_layers encoder_layers decoder_layers "
    "num_decoder_layers num_encoder_layers num_hidden_groups num_key_value_heads num_kv_heads "
    "n_head_kv num_experts_per_tok moe_topk moe_k moe_top_k num_experts_per_token top_k_experts",
    4: "num_attention_heads n_head num_heads n_heads encoder_attention_heads num_experts "
    "decoder_attention_heads num_encoder_attention_heads num_decoder_attention_heads "
    "n_routed_experts num_local_experts moe_num_experts num_experts_per_layer",
    8: "head_dim d_kv dim_head attention_head_dim d_head qk_rope_head_dim qk_nope_head_dim "
    "v_head_dim ssm_state_size state_size mamba_d_state rotary_dim",
    256: "max_position_embeddings n_positions max_sequence_length n_ctx seq_length max_seq_len "
    "max_encoder_position_embeddings max_decoder_position_embeddings max_source_positions "
    "max_target_positions context_length max_length",
    1: "n_shared_experts n_group topk_group first_k_dense_replace",
}
#: Sizes that must be stated where the default states none.
UNSTATED = (
    "num_experts_per_tok",
    "n_routed_experts",
    "n_shared_experts",
    "num_key_value_heads",
    "head_dim",
)
SIZES = {name: size for size, names in _NAMES_OF_SIZES.items() for name in names.split()}


def build(name: str, *, is_seq2seq: bool = False) -> tuple[Any, Any]:
    """A tiny random model of an architecture, and a tokenizer for it."""
    import torch
    import transformers

    words = _tokenizer()
    auto = transformers.AutoModelForSeq2SeqLM if is_seq2seq else transformers.AutoModelForCausalLM
    failure: Exception | None = None
    for heads in (2, 4):  # Some architectures have as many heads of keys as of queries.
        try:
            config = tiny(transformers.CONFIG_MAPPING[name], len(words), heads)
            with torch.device("meta"):
                size = sum(w.numel() for w in auto.from_config(config).parameters())
            if size > MOST_PARAMETERS:
                raise ValueError(f"{size / 1e6:.0f} million parameters even when shrunk")
            torch.manual_seed(7)
            model = auto.from_config(config).float().eval()
            _run_once(model)
            break
        except Exception as error:
            failure = error
    else:
        assert failure is not None
        raise failure
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(3.0)  # Ordinary random weights give an almost flat distribution.
    ends = {"eos_token_id": 1, "bos_token_id": 2, "pad_token_id": 0}
    if is_seq2seq:
        ends["decoder_start_token_id"] = 2
    model.generation_config = transformers.GenerationConfig(**ends)
    return model, words


def _run_once(model: Any) -> None:
    """Raise what a forward pass raises where sizes do not go together."""
    import torch

    ids = torch.tensor([[5, 6, 7]])
    with torch.inference_mode():
        if model.config.is_encoder_decoder:
            model(input_ids=ids, decoder_input_ids=ids)
        else:
            model(input_ids=ids)


def tiny(kind: Any, vocab: int, heads: int) -> Any:
    """A configuration with small sizes, those of its parts included."""
    return kind(**_small(kind(), vocab, heads))


def _small(default: Any, vocab: int, heads: int) -> dict[str, Any]:
    from transformers import PreTrainedConfig

    small: dict[str, Any] = {}
    for name, value in vars(default).items():
        if isinstance(value, PreTrainedConfig):
            inner = _small(value, vocab, heads)
            small[name] = {"model_type": value.model_type, **inner}
        elif name in ("eos_token_id", "bos_token_id", "pad_token_id"):
            small[name] = {"eos_token_id": 1, "bos_token_id": 2, "pad_token_id": 0}[name]
        elif name == "decoder_start_token_id":
            small[name] = 2
        elif name.endswith(("_token_id", "_token_index")) and isinstance(value, int):
            small[name] = 5
        elif "vocab_size" in name and isinstance(value, int):
            small[name] = vocab
        elif name in SIZES and isinstance(value, int) and not isinstance(value, bool):
            small[name] = SIZES[name]
            if name in ("num_key_value_heads", "num_kv_heads"):
                small[name] = heads
        elif name in UNSTATED and value is None:
            small[name] = heads if name == "num_key_value_heads" else SIZES[name]
        elif name == "attention_types":
            small[name] = [[["global", "local"], 1]]
        elif name == "attention_window":
            small[name] = 64
        elif name == "is_decoder":
            small[name] = True
    return small


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.train_from_iterator(
        PROMPTS,
        trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=["<pad>", "<eos>", "<bos>"],
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="<pad>", eos_token="<eos>")
