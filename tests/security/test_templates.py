"""Templates are sandboxed: neither a version file nor its prompts reach Python."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ethogram.errors import SpecError
from ethogram.spec.prompt import Prompt, fill_template


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
