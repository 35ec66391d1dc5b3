"""Chat templates come with a model, so transformers renders them in our sandbox.

transformers compiles every template in one function, with Jinja's own sandbox, which bounds neither
time nor memory.
"""

from __future__ import annotations

from typing import Any

from ethogram.extras import require


def bound_templates() -> None:
    """Let transformers compile chat templates in a sandbox that bounds time and memory."""
    utils: Any = require(
        "transformers.utils.chat_template_utils", extra="engine", needed_for="chat templates"
    )
    from ethogram.spec.sandbox import Sandbox

    if utils.ImmutableSandboxedEnvironment is not Sandbox:
        utils.ImmutableSandboxedEnvironment = Sandbox
        utils._compile_jinja_template.cache_clear()
