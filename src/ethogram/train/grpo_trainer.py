"""The trainer of GRPO. Importing it imports torch and TRL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import trl

from ethogram.corpus import Turn
from ethogram.metrics import Output
from ethogram.train.fast import Fast, FastTraining
from ethogram.train.job import Job, Prepared
from ethogram.train.preferring import Preferring, adapter_of, reference_of, train_options
from ethogram.train.randomness import undisturbed
from ethogram.train.rewards import RewardFunction, reward_functions

if TYPE_CHECKING:
    from ethogram.spec.recipes import GrpoRecipe
    from ethogram.train.chats import Chat

#: Prompts whose replies are sampled to see whether rewards differ.
_TRIED = 4


class RepliesTrainer(Preferring, FastTraining, trl.GRPOTrainer):  # type: ignore[misc]
    """TRL's trainer, on prompts as generation reads them.

    Args:
        chat: keyword argument; renders prompts.
        reference: keyword argument; the parent, or None under an adapter and without a KL term.
        arguments: positional ones of the trainer below.
        options: keyword ones of the trainer below.
    """

    can_be_measured = False  # A batch has no tokens before it is generated.

    def __init__(self, *arguments: Any, chat: Chat, reference: Any, **options: Any) -> None:
        self.chat = chat
        super().__init__(*arguments, **options)
        # TRL would load the reference by the name in the configuration.
        self.beta = self.recipe.beta
        if reference is not None:
            from trl.trainer.utils import add_fused_lm_head

            add_fused_lm_head(reference, temperature=self.temperature)
            self.ref_model = self.accelerator.prepare_model(reference, evaluation_mode=True)

    def _tokenize_prompts(self, prompts: Sequence[Sequence[Mapping[str, str]]]) -> Any:
        ids = [list(self.chat.prompt_ids(_turns(prompt))) for prompt in prompts]
        return ids, None, {}

    def log(self, logs: dict[str, float], *rest: Any) -> None:
        """Times are measured by steps already, and differ from run to run."""
        for mode in self._metrics.values():
            mode.pop("step_time", None)
        super().log(logs, *rest)

    def sampled_rewards(self) -> dict[str, list[list[float | None]]]:
        """Rewards of replies to the first prompts, by reward and prompt; the trainer is unchanged.

        Returns:
            name of the reward to a list a prompt of a value a reply.
        """
        rows = [self.train_dataset[at] for at in range(min(_TRIED, len(self.train_dataset)))]
        repeated = [row for row in rows for _ in range(self.num_generations)]
        prompts = [row["prompt"] for row in repeated]
        with undisturbed():
            seen = self.state.num_input_tokens_seen
            _, ids, _, completions, *_ = self._generate(prompts)
            values = self._calculate_rewards(repeated, prompts, completions, ids)
            self.state.num_input_tokens_seen = seen
        for mode in self._metrics.values():
            mode.clear()
        found: dict[str, list[list[float | None]]] = {}
        for at, name in enumerate(self.reward_func_names):
            groups = values[:, at].reshape(len(rows), self.num_generations).tolist()
            found[name] = [[None if v != v else v for v in group] for group in groups]
        return found


def _turns(prompt: Sequence[Mapping[str, str]]) -> list[Turn]:
    return [Turn(each["role"], each["content"]) for each in prompt]


def as_trl(name: str, function: RewardFunction) -> Callable[..., list[float | None]]:
    """A reward as TRL calls it.

    Args:
        name: of the reward, under which TRL logs it.
        function: of outputs and prompts.
    """

    def rewards(
        *,
        prompts: Sequence[Sequence[Mapping[str, str]]],
        completions: Sequence[Sequence[Mapping[str, str]]],
        completion_ids: Sequence[Sequence[int]],
        reference: Sequence[str | None],
        **_: Any,
    ) -> list[float | None]:
        outputs = [
            Output(
                text=completion[0]["content"],
                prompt=prompt[-1]["content"],
                token_ids=tuple(ids),
                reference=answer,
            )
            for prompt, completion, ids, answer in zip(
                prompts, completions, completion_ids, reference, strict=True
            )
        ]
        return function(outputs, [_turns(prompt) for prompt in prompts])

    rewards.__name__ = name
    return rewards


def make_trainer(job: Job, prepared: Prepared, arguments: Mapping[str, Any]) -> RepliesTrainer:
    """A trainer for the prompts of a job."""
    recipe, extra = cast("GrpoRecipe", job.recipe), prepared.extra
    fast = Fast.of(recipe)
    chat = extra["chat"]
    functions = reward_functions(job)
    needs_copy = recipe.beta > 0 and not recipe.lora
    options = train_options(job, arguments)
    return RepliesTrainer(
        fast=fast,
        recipe=recipe,
        chat=chat,
        reference=reference_of(prepared.model, fast) if needs_copy else None,
        model=prepared.model,
        reward_funcs=[as_trl(name, function) for name, function in functions.items()],
        args=trl.GRPOConfig(
            **{**options, "per_device_eval_batch_size": recipe.generations},
            beta=0.0,
            num_generations=recipe.generations,
            max_completion_length=recipe.max_new_tokens,
            temperature=recipe.temperature,
            reward_weights=[reward.weight for reward in recipe.rewards],
            remove_unused_columns=False,
            use_vllm=False,
        ),
        train_dataset=prepared.train,
        eval_dataset=prepared.held_out,
        processing_class=prepared.tokenizer,
        peft_config=adapter_of(job, prepared),
    )
