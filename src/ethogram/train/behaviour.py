"""Behaviour as it learns: the engine generates on a suite with the weights of this moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ethogram.engine import Engine
from ethogram.metrics import Output, score_outputs
from ethogram.models.load import in_memory
from ethogram.models.reference import ModelReference
from ethogram.spec import Request, Suite, Version, make_requests
from ethogram.store import TrainingOutput
from ethogram.train.child import resolved
from ethogram.train.job import Job
from ethogram.train.suites import watched_suite

if TYPE_CHECKING:
    from ethogram.spec import Decoding


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What one look showed.

    Attributes:
        values: `DECODING/METRIC` to its value; None where it applies to no output.
        outputs: what was generated.
    """

    values: dict[str, float | None]
    outputs: list[TrainingOutput]


class Watched:
    """The prompts and decodings that a recipe watches.

    Args:
        job: the training.

    Raises:
        SpecError: the suite cannot be read.
    """

    def __init__(self, job: Job) -> None:
        self.evaluation = job.recipe.evaluate
        self.suite: Suite = watched_suite(job)
        self.seed = job.study.spec.settings.seed
        version = resolved(job)
        self.versions: dict[str, Version] = {
            name: self._version(version, decoding)
            for name, decoding in self.evaluation.decodings.items()
        }

    def _version(self, version: Version, decoding: Decoding) -> Version:
        shorter = decoding.model_copy(
            update={"max_new_tokens": min(decoding.max_new_tokens, self.evaluation.max_new_tokens)}
        )
        return version.model_copy(update={"decoding": shorter, "outputs": None})

    def requests(self, name: str) -> list[Request]:
        """The requests of a decoding, with the noise that the study's own runs have."""
        return make_requests(
            self.versions[name],
            self.suite,
            samples=self.evaluation.samples,
            seed=self.seed,
            model_identity="in training",
        )

    def look(self, model: Any, tokenizer: Any, step: int) -> Behaviour:
        """Generate and measure.

        Args:
            model: a float32 module in eval mode that nobody else changes.
            tokenizer: of the model.
            step: steps done.
        """
        engine = Engine(in_memory(model, tokenizer, ModelReference("in training")))
        requests = {name: self.requests(name) for name in self.versions}
        every = [request for some in requests.values() for request in some]
        made = {each.identity: each for each in engine.generate(every)}
        found = Behaviour({}, [])
        for name, some in requests.items():
            generations = [made[request.identity] for request in some]
            table = score_outputs(
                [
                    Output(
                        text=each.text,
                        prompt=each.prompt_text,
                        token_ids=each.token_ids,
                        logprobs=each.logprobs,
                        finish_reason=each.finish_reason,
                        prompt_id=each.prompt_id,
                        sample_index=each.sample_index,
                    )
                    for each in generations
                ],
                self.evaluation.metrics,
            )
            for row in table.rows:
                value = None if math.isnan(row.value) else row.value
                found.values[f"{name}/{row.metric.name}"] = value
            ended = sum(each.finish_reason != "length" for each in generations)
            found.values[f"{name}/ends_by_itself"] = ended / len(generations)
            found.outputs.extend(
                TrainingOutput(
                    step, name, each.prompt_id, each.sample_index, each.text, each.finish_reason
                )
                for each in generations
            )
        return found
