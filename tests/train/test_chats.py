"""Masks of every chat format against literal tables, token by token."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.train.byte_words import Said, marked, said, tokenizer

from ethogram.errors import DataError, SpecError
from ethogram.train.chats import make_chat, shown

ROLES = ("<|user|>", "<|assistant|>")
CHATML = ("<|im_start|>", "<|im_end|>")
LLAMA3 = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")

FORMATS = {
    "roles": (
        {"special": ROLES},
        None,
        "<|user|>Be.<|user|>Hi<|assistant|>⟦Yo<eos>⟧<|user|>A?<|assistant|>⟦B<eos>⟧",
    ),
    "roles with a system token": (
        {"special": (*ROLES, "<|system|>")},
        None,
        "<|system|>Be.<|user|>Hi<|assistant|>⟦Yo<eos>⟧<|user|>A?<|assistant|>⟦B<eos>⟧",
    ),
    "chatml": (
        {"special": CHATML},
        None,
        "<|im_start|>system\nBe.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n⟦Yo<|im_end|>⟧\n<|im_start|>user\nA?<|im_end|>\n"
        "<|im_start|>assistant\n⟦B<|im_end|>⟧",
    ),
    "llama3": (
        {"special": LLAMA3, "bos": "<|begin_of_text|>"},
        None,
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n⟦Yo<|eot_id|>⟧"
        "<|start_header_id|>user<|end_header_id|>\n\nA?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n⟦B<|eot_id|>⟧",
    ),
    "zephyr": (
        {},
        "zephyr",
        "<|system|>\nBe.<eos>\n<|user|>\nHi<eos>\n<|assistant|>\n⟦Yo<eos>⟧\n"
        "<|user|>\nA?<eos>\n<|assistant|>\n⟦B<eos>⟧",
    ),
    "plain": (
        {},
        None,
        "System:\nBe.\n\nUser:\nHi\n\nAssistant:\n⟦Yo<eos>⟧\n\nUser:\nA?\n\nAssistant:\n⟦B<eos>⟧",
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_only_replies_and_their_end_tokens_are_learned(name: str) -> None:
    made, template, expected = FORMATS[name]
    words = tokenizer(**made)  # type: ignore[arg-type]
    chat = make_chat(words, template=template)
    (row,) = chat.rows(said("Hi", "Yo", "A?", "B", system="Be."))
    assert marked(row, words) == expected


def test_a_row_has_these_ids_and_this_mask() -> None:
    words = tokenizer(ROLES)
    (row,) = make_chat(words).rows(said("Hi", "Yo", "A", "B"))
    ids = words.get_vocab()
    user, assistant, end = 0, 1, 2
    table = [
        (user, False),
        (ids["H"], False),
        (ids["i"], False),
        (assistant, False),
        (ids["Y"], True),
        (ids["o"], True),
        (end, True),
        (user, False),
        (ids["A"], False),
        (assistant, False),
        (ids["B"], True),
        (end, True),
    ]
    assert list(zip(row.ids, row.learned, strict=True)) == table
    no = -100
    assert row.labels == [no, no, no, no, ids["Y"], ids["o"], end, no, no, no, ids["B"], end]
    assert row.learned_ids == (ids["Y"], ids["o"], end, ids["B"], end)


@pytest.mark.parametrize("name", FORMATS)
def test_what_precedes_a_reply_is_the_prompt_of_generation(name: str) -> None:
    made, template, _ = FORMATS[name]
    chat = make_chat(tokenizer(**made), template=template)  # type: ignore[arg-type]
    talk = said("Hi", "Yo", "A?", "B", system="Be.")
    (row,) = chat.rows(talk)
    starts = [at for at in range(1, len(row)) if row.learned[at] and not row.learned[at - 1]]
    assert [row.ids[:at] for at in starts] == [
        chat.prompt_ids(talk[:2]),
        chat.prompt_ids(talk[:4]),
    ]


def test_the_last_reply_alone_can_be_learned() -> None:
    words = tokenizer(ROLES)
    (row,) = make_chat(words).rows(said("Hi", "Yo", "A?", "B"), last_only=True)
    assert marked(row, words) == "<|user|>Hi<|assistant|>Yo<eos><|user|>A?<|assistant|>⟦B<eos>⟧"


def test_a_conversation_without_a_reply_learns_nothing() -> None:
    (row,) = make_chat(tokenizer(ROLES)).rows(said("Hi"))
    assert row.learned_tokens == 0


def test_an_encoder_reads_the_prompt_and_the_decoder_learns_the_reply() -> None:
    words = tokenizer(eos="</s>", pad="<pad>")
    chat = make_chat(words, seq2seq=True)
    one, two = chat.rows(said("Hi", "Yo", "A?", "B"))
    assert [words.decode(row.source) for row in (one, two)] == [
        "Hi</s>",
        "User: Hi\nAssistant: Yo\nUser: A?</s>",
    ]
    assert [marked(row, words) for row in (one, two)] == ["⟦Yo</s>⟧", "⟦B</s>⟧"]


HIDES = (
    "{% for m in messages %}{% if m.role == 'assistant' %}<|assistant|>"
    "{% if not loop.last %}{{ m.content.split('/')[-1] }}{% else %}{{ m.content }}{% endif %}"
    "{{ eos_token }}{% else %}<|user|>{{ m.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
REWRITES = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>think: {% endif %}"
)


def test_replies_get_rows_of_their_own_where_the_template_rewrites_history() -> None:
    words = tokenizer(ROLES, template=HIDES)
    rows = make_chat(words).rows(said("Hi", "hm/Yo", "A?", "hm/B"))
    assert [marked(row, words) for row in rows] == [
        "<|user|>Hi<|assistant|>⟦hm/Yo<eos>⟧",
        "<|user|>Hi<|assistant|>Yo<eos><|user|>A?<|assistant|>⟦hm/B<eos>⟧",
    ]


def test_a_prompt_that_is_no_prefix_is_refused_with_its_place() -> None:
    chat = make_chat(tokenizer(ROLES, template=REWRITES))
    with pytest.raises(DataError, match=r"chats\.jsonl:3: .*no prefix.*'think: '.*'Yo<eos>'"):
        chat.rows(said("Hi", "Yo"), where="chats.jsonl:3")


def test_a_token_that_would_span_the_border_of_a_reply_is_split_as_in_generation() -> None:
    words = tokenizer(merges=("ab",), template="{% for m in messages %}{{ m.content }}{% endfor %}")
    chat = make_chat(words)
    (row,) = chat.rows(said("xa", "b"))
    assert marked(row, words) == "xa⟦b⟧"
    assert chat.end_id is None


def test_a_template_that_refuses_the_messages_is_one_line() -> None:
    words = tokenizer(ROLES, template="{{ raise_exception('no system messages') }}")
    with pytest.raises(DataError, match=r"cannot format the conversation \(no system messages\)"):
        make_chat(words)


@pytest.mark.parametrize(
    ("special", "eos", "pad", "expected"),
    [
        ((*ROLES, "<|pad|>"), "<|endoftext|>", None, "<|pad|>"),
        ((*CHATML, "<|endoftext|>"), "<|im_end|>", "<|im_end|>", "<|endoftext|>"),
        ((), "</s>", "<pad>", "<pad>"),
        ((), "<|endoftext|>", "<|endoftext|>", None),
    ],
)
def test_padding_never_ends_a_reply(
    special: tuple[str, ...], eos: str, pad: str | None, expected: str | None
) -> None:
    words = tokenizer(special, eos=eos, pad=pad)
    chat = make_chat(words)
    assert words.pad_token == expected
    assert chat.pad_id == (words.get_vocab()[expected] if expected else None)
    assert chat.pad_id != chat.end_id


def test_the_end_of_a_turn_is_found_where_it_is_not_the_tokenizers_end_token() -> None:
    words = tokenizer((*CHATML, "<|endoftext|>"), eos="<|endoftext|>")
    chat = make_chat(words)
    assert chat.family == "chatml"
    assert words.convert_ids_to_tokens(chat.end_id) == "<|im_end|>"


def test_no_token_is_added() -> None:
    words = tokenizer()
    before = len(words)
    make_chat(words)
    assert len(words) == before


def test_a_tokenizer_keeps_its_own_template() -> None:
    words = tokenizer(ROLES, template=HIDES)
    assert make_chat(words).family is None
    assert words.chat_template == HIDES


def test_templates_by_name_file_and_text(tmp_path: Path) -> None:
    (tmp_path / "mine.jinja").write_text(HIDES)
    for wanted, expected in (("plain", "plain"), ("mine.jinja", "own"), (HIDES, "own")):
        assert make_chat(tokenizer(ROLES), template=wanted, folder=tmp_path).family == expected
    with pytest.raises(SpecError, match=r"no chat template 'chatm'.*did you mean 'chatml'"):
        make_chat(tokenizer(), template="chatm", folder=tmp_path)
    with pytest.raises(SpecError, match=r"no token '<\|im_start\|>', which chatml needs"):
        make_chat(tokenizer(), template="chatml")


def test_a_row_is_shown_by_whole_characters() -> None:
    words = tokenizer(ROLES)
    (row,) = make_chat(words).rows([Said("user", "é"), Said("assistant", "日")])
    assert shown(row, words) == [
        ("<|user|>", False),
        ("é", False),
        ("<|assistant|>", False),
        ("日", True),
        ("<eos>", True),
    ]


@pytest.mark.model
def test_the_built_in_model() -> None:
    from ethogram.models import ModelReference, load_tokenizer

    words = load_tokenizer(ModelReference("smollm2-135m-instruct"))
    chat = make_chat(words, eos_token_ids=(2, 0))
    (row,) = chat.rows(said("Hi", "Yo there", "A?", "B", system="Be."))
    assert marked(row, words) == (
        "<|im_start|>system\nBe.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n⟦Yo there<|im_end|>⟧\n<|im_start|>user\nA?<|im_end|>\n"
        "<|im_start|>assistant\n⟦B<|im_end|>⟧"
    )
    assert chat.end_id == 2
    assert chat.pad_id not in (None, 0, 2)
