"""Templates are sandboxed: neither a version file nor its prompts reach Python."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import ValidationError

from ethogram.engine.chat import render_chat
from ethogram.errors import DataError, RequestError, SpecError
from ethogram.models import describe
from ethogram.spec import sandbox_sizes
from ethogram.spec.generation import ChatFormat, Message
from ethogram.spec.prompt import Example, Prompt, fill_template
from ethogram.train.chats.chat import Chat


@pytest.mark.parametrize(
    "template",
    [
        "{{ input }}{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ input }}{{ input.format.__globals__ }}",
        "{{ input }}{{ '{0.__class__}'.format(input) }}",
        "{{ input }}{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ input }}{{ lipsum.__globals__ }}",
        "{{ input }}{% set _ = examples.append(1) %}",
        "{% include '/etc/passwd' %}{{ input }}",
    ],
)
def test_a_template_that_reaches_for_python_is_refused(template: str) -> None:
    with pytest.raises(ValidationError, match="template: "):
        Prompt(template=template)


def test_a_template_does_not_count_for_ever() -> None:
    with pytest.raises(ValidationError, match="Range too big"):
        Prompt(template="{{ input }}{% for i in range(10 ** 12) %}x{% endfor %}")


def test_text_of_a_prompt_is_no_template() -> None:
    text = "{{ ''.__class__ }}{% for i in range(10 ** 12) %}"
    assert fill_template("Q: {{ input }}", input=text, system="", examples=()) == f"Q: {text}"


def test_a_template_that_fails_on_one_prompt_is_one_line() -> None:
    template = "{{ input }}{{ 10 // (input|length - 2) }}"
    assert Prompt(template=template).template == template
    with pytest.raises(SpecError, match="template: integer division or modulo by zero") as caught:
        fill_template(template, input="hi", system="", examples=())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 10 ** 9 }}",
        "{{ [1] * 10 ** 9 }}",
        "{{ 'a'|center(10 ** 9) }}",
        "{{ 'a'.center(10 ** 9) }}",
        "{{ '%1000000000d' % 1 }}",
        "{{ '%*d' % (10 ** 9, 1) }}",
        "{{ '%1000000000d'|format(1) }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ '{:{w}}'.format(1, w=10 ** 9) }}",
        "{{ range(99999)|join('y' * 10 ** 6) }}",
        "{{ ('y' * 10 ** 6).join(range(99999)|map('string')) }}",
        "{{ ('x' * 10 ** 6)|replace('x', 'y' * 10 ** 6) }}",
        "{{ ('x' * 10 ** 6).replace('x', 'y' * 10 ** 6) }}",
        "{{ ('\\t' * 10 ** 5).expandtabs(10 ** 6) }}",
        "{{ ('\\n' * 10 ** 6)|indent(10 ** 5) }}",
        "{{ [1]|batch(10 ** 9, 'x')|list }}",
        "{{ 2 ** (10 ** 9) }}",
        "{{ 1.5|round(10 ** 9, 'ceil') }}",
        "{{ (1).to_bytes(10 ** 9, 'big') }}",
        "{% filter center(10 ** 9) %}a{% endfilter %}",
        "{% set n = namespace(x='ab') %}{% for i in range(60) %}"
        "{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x='ab') %}{% for i in range(60) %}"
        "{% set n.x = n.x + n.x %}{% endfor %}",
        "{% set n = namespace(x=[1]) %}{% for i in range(60) %}"
        "{% set n.x = [n.x, n.x] %}{% endfor %}"
        "{{ n.x }}",
        "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set v %}{{ n.x }}{{ n.x }}"
        "{% endset %}{% set n.x = v %}{% endfor %}",
        "{% set n = namespace(x=7) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}",
    ],
)
def test_a_template_makes_no_text_without_end(template: str) -> None:
    began = time.monotonic()
    with pytest.raises(SpecError, match=r"template: .*(of|more than) (more than )?[\d,]+"):
        fill_template(template, input="", system="", examples=())
    assert time.monotonic() - began < 8


@pytest.mark.parametrize(
    "template",
    [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}"
        "{{ f(90) }}",
        "{% for x in [1, 1] recursive %}{% if loop.depth < 90 %}{{ loop([1, 1]) }}{% endif %}"
        "{% endfor %}",
        "{{ range(99999)|map('center', 100)|map('list')|map('sort')|list }}",
    ],
)
def test_a_template_takes_no_time_without_end(
    template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_sizes, "MOST_STEPS", 50_000)
    with pytest.raises(SpecError, match="template: it takes more than 50,000 steps"):
        fill_template(template, input="", system="", examples=())


def test_a_template_has_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_sizes, "MOST_SECONDS", 0.05)
    slow = "{% for a in range(999) %}{% for b in range(999) %}{% endfor %}{% endfor %}"
    with pytest.raises(SpecError, match="template: it takes longer than"):
        fill_template(slow, input="", system="", examples=())


def test_many_values_are_bounded_together() -> None:
    template = "".join(f"{{% set a{n} = 'x' * 9000000 %}}" for n in range(40))
    with pytest.raises(SpecError, match="characters in all"):
        fill_template(template, input="", system="", examples=())


def test_long_prompts_and_usual_templates_render_as_in_jinja() -> None:
    template = (
        "{%- macro turn(role, text) -%}<|{{ role }}|>{{ text | trim }}{%- endmacro -%}"
        "{% for one in examples %}{{ loop.index }}/{{ loop.length }} {{ turn('user', one.input) }}"
        "{{ '\n' if not loop.last }}{% else %}none{% endfor %}{{ system[:3] ~ '-' ~ 1 }}"
        "{% set ns = namespace(n=0) %}{% for c in 'abc' if c != 'b' %}{% set ns.n = ns.n + 1 %}"
        "{% endfor %}{{ ns.n }}{{ '%s=%d' % ('a', 2) }}{{ '{:>4}|{x}'.format(7, x=[1]) }}"
        "{{ examples | map(attribute='output') | join(', ') }}{{ {'a': (1, 2)} | tojson }}"
        "{{ input }}"
    )
    shots = (Example(input="hi ", output="yes"), Example(input="ho", output="no"))
    text = "word " * 300_000
    filled = fill_template(template, input=text, system="system", examples=shots)
    plain = ImmutableSandboxedEnvironment(keep_trailing_newline=True).from_string(template)
    assert filled == plain.render(input=text, system="system", examples=shots)
    assert len(filled) > len(text)


def test_chat_templates_of_models_are_bounded(checkpoint: Callable[..., Path]) -> None:
    loaded = describe(str(checkpoint("llama")))
    said = (Message("user", "hi"),)
    for template in ("{{ 'a' * 10 ** 9 }}", "{{ 'a'|center(1000000000) }}"):
        loaded.tokenizer.chat_template = template
        with pytest.raises(RequestError, match=r"chat template cannot format it .*characters"):
            render_chat(said, ChatFormat(), replace(loaded, has_chat_template=True), where="p1")
        with pytest.raises(DataError, match=r"chat template cannot format .*characters"):
            Chat(loaded.tokenizer, None).prompt_text(said)
