"""Chat templates that a tokenizer without one is given, by the tokens that it has.

No token is ever added: an added one has a random embedding, which LoRA would leave untrained. Where
a tokenizer reserves no tokens for roles, they are marked in plain text, and the tokenizer's own end
token ends a reply.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ethogram.errors import SpecError
from ethogram.spec.source import suggest

_CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_LLAMA3 = (
    "{{ bos_token or '' }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}"
    "<|end_header_id|>\n\n{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
_ZEPHYR = (
    "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}"
    "{{ eos_token }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
#: Roles are single tokens, so nothing separates them from the text; only a reply has an end.
_ROLES = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}"
    "<|assistant|>{{ message['content'] }}{{ eos_token }}"
    "{% elif message['role'] == 'system' %}SYSTEM{{ message['content'] }}"
    "{% else %}<|user|>{{ message['content'] }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
#: Ends its prompt with a line break, not a space: a space would be part of the reply's first token.
_PLAIN = (
    "{% for message in messages %}{{ message['role'] | capitalize }}:\n{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{{ '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}Assistant:\n{% endif %}"
)
#: What an encoder reads: the text alone if there is one message, else a transcript; its end token
#: is what T5 was trained to read at the end of every input.
_SEQ2SEQ = (
    "{% if messages | length == 1 %}{{ messages[0]['content'] }}{% else %}"
    "{% for message in messages %}{{ message['role'] | capitalize }}: {{ message['content'] }}"
    "{% if not loop.last %}{{ '\n' }}{% endif %}{% endfor %}{% endif %}{{ eos_token or '' }}"
)


@dataclass(frozen=True, slots=True)
class Family:
    """A chat format.

    Attributes:
        name: as a recipe's `template` names it.
        tokens: that a tokenizer must have for it; none for formats in plain text.
        template: Jinja over messages, add_generation_prompt, bos_token and eos_token.
    """

    name: str
    tokens: tuple[str, ...]
    template: str


#: In the order in which they are tried.
FAMILIES = (
    Family("roles", ("<|user|>", "<|assistant|>"), _ROLES),
    Family("chatml", ("<|im_start|>", "<|im_end|>"), _CHATML),
    Family("llama3", ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"), _LLAMA3),
    Family("zephyr", (), _ZEPHYR),
    Family("plain", (), _PLAIN),
)
SEQ2SEQ = Family("seq2seq", (), _SEQ2SEQ)
#: Tokens used for padding if the tokenizer has them, best first.
_PADS = ("<|pad|>", "<pad>", "[PAD]", "<|padding|>", "<|endoftext|>", "<|finetune_right_pad_id|>")


def give_template(
    tokenizer: Any, wanted: str | None, *, folder: Path, seq2seq: bool = False
) -> str | None:
    """Give a tokenizer the chat template that a recipe wants, or one that suits its tokens.

    Args:
        tokenizer: of transformers; its `chat_template` is set.
        wanted: name of a family, a template file, or the template itself; None keeps the
            tokenizer's own, or chooses where it has none.
        folder: that a relative path counts from.
        seq2seq: whether an encoder reads the prompt.

    Returns:
        Name of the family that was given, `own` for another template; None if the tokenizer kept
        its template.

    Raises:
        SpecError: the file does not exist, or the family needs tokens that the tokenizer lacks.
    """
    if wanted is None:
        if tokenizer.chat_template:
            return None
        family = SEQ2SEQ if seq2seq else next(each for each in FAMILIES if _fits(each, tokenizer))
    else:
        by_name = {each.name: each for each in (*FAMILIES, SEQ2SEQ)}
        if wanted not in by_name:
            tokenizer.chat_template = _template_text(wanted, folder, list(by_name))
            return "own"
        family = by_name[wanted]
        missing = _missing(family.tokens, tokenizer)
        if missing:
            raise SpecError(
                f"the tokenizer has no token {missing[0]!r}, which {wanted} needs",
                where="template",
                hint="use template: plain, or leave it out",
            )
    tokenizer.chat_template = _text_of(family, tokenizer)
    return family.name


def _fits(family: Family, tokenizer: Any) -> bool:
    if not family.tokens:
        return family.name == "plain"
    return not _missing(family.tokens, tokenizer)


def _missing(tokens: Sequence[str], tokenizer: Any) -> list[str]:
    known = tokenizer.get_vocab()
    return [token for token in tokens if token not in known]


def _text_of(family: Family, tokenizer: Any) -> str:
    if family.name != "roles":
        return family.template
    # Without a token of its own, a system message opens the conversation as the user's.
    has_system = not _missing(("<|system|>",), tokenizer)
    return family.template.replace("SYSTEM", "<|system|>" if has_system else "<|user|>")


def _template_text(wanted: str, folder: Path, names: list[str]) -> str:
    if "{{" in wanted or "{%" in wanted:
        return wanted
    path = folder / wanted
    if not path.is_file():
        raise SpecError(
            f"no chat template {wanted!r}",
            where="template",
            hint=f"name a file, or a format: {suggest(wanted, names)}",
        )
    return path.read_text(encoding="utf-8")


def pad_token_id(tokenizer: Any, ends: Collection[int]) -> int | None:
    """A token for padding that never ends a reply, and set it; None if there is none.

    A padding token that equals an end token is the usual cause of models that never stop, or that
    stop at once. Training here masks by position and never by this id, so that it is also right
    where none is found.
    """
    known = tokenizer.get_vocab()
    own = tokenizer.pad_token_id
    found = [own] if own is not None else []
    found += [known[name] for name in _PADS if name in known]
    # Any special token that the format does not use, such as SmolLM2's `<repo_name>`.
    found += [at for at, token in tokenizer.added_tokens_decoder.items() if token.special]
    used = set(ends) | {tokenizer.bos_token_id, tokenizer.unk_token_id}
    for token in found:
        name = tokenizer.convert_ids_to_tokens(token)
        if token not in used and name not in (tokenizer.chat_template or ""):
            tokenizer.pad_token = name
            return int(token)
    tokenizer.pad_token = None
    return None
