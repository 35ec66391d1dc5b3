"""Generate: outputs of one version for texts of one's own, without a study. Stores nothing."""

from __future__ import annotations

from collections.abc import Sequence

from ethogram.spec import Generation, Suite, SuitePrompt, Version, make_requests


def generate(
    prompts: str | Sequence[str], version: Version | None = None, *, samples: int = 1, seed: int = 0
) -> list[Generation]:
    """Generate outputs of a version for texts, in the order of the texts.

    Args:
        prompts: a text or several.
        version: model, decoding, prompt and wrapper; default: the built-in model with default
            decoding.
        samples: outputs per text; greedy decoding gives one.
        seed: of the sampling noise.

    Raises:
        ModelError: the model cannot be found or loaded.
        RequestError: the model cannot serve a text, for example because it is too long.
    """
    from ethogram.engine import Engine
    from ethogram.models import ModelReference, identity, load
    from ethogram.wrap import WrappedBackend

    version = version or Version()
    texts = [prompts] if isinstance(prompts, str) else list(prompts)
    suite = Suite(prompts=tuple(SuitePrompt(id=str(i), text=text) for i, text in enumerate(texts)))
    reference = ModelReference(
        model=version.model,
        revision=version.revision,
        adapter=version.adapter,
        dtype=version.dtype,
    )
    requests = make_requests(
        version, suite, samples=samples, seed=seed, model_identity=identity(reference)
    )
    engine = Engine(load(reference))
    backend = WrappedBackend(engine, engine.text)
    made = {each.identity: each for each in backend.generate(requests)}
    return [made[request.identity] for request in requests]
