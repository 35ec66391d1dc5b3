"""Judge: asks a model which of two versions answers better, and stores its full replies.

Decides which outputs are compared and which verdicts are stored already; pairwise.py and rubric.py
summarise the verdicts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ethogram.backends import ChatClient, ChatReply, ChatRequest, Endpoint
from ethogram.errors import SpecError
from ethogram.metrics import Metric, Output, Score, Unit, get
from ethogram.metrics.base import NOT_APPLICABLE, mean_score
from ethogram.spec.identity import digest
from ethogram.spec.rubric import HIGHEST, LOWEST, Rubric, load_rubric
from ethogram.study.calling import takes_study
from ethogram.study.difference import differences
from ethogram.study.judging.agreement import agreement
from ethogram.study.judging.pairing import ByPrompt, Candidate, candidates, match_samples, shared
from ethogram.study.judging.pairwise import (
    Cost,
    JudgedPair,
    Pairing,
    PairwiseJudgement,
)
from ethogram.study.judging.prompts import (
    PAIRWISE,
    JudgePrompt,
    ask_pair,
    ask_scores,
    read_scores,
    read_winner,
    rubric_prompt,
)
from ethogram.study.judging.rubric import RubricJudgement, ScoredOutput
from ethogram.study.measure import Measured
from ethogram.study.workspace import Study

if TYPE_CHECKING:
    from ethogram.store import StoredVerdict

#: Verdicts asked for that are there, and verdicts asked for in all.
OnVerdict = Callable[[int, int], None]
#: Five sentences and the verdict take some 200 tokens; a model that thinks first takes more.
MAX_TOKENS = 1024
#: Name of the mean of all criteria.
OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class _Request:
    """One request, and the identity that its verdict is stored under."""

    identity: str
    text: str
    first: str
    second: str | None


@takes_study
def judge(
    study: Study,
    before: str,
    after: str,
    *,
    model: str,
    endpoint: Endpoint | None = None,
    rubric: str | Path | Rubric | None = None,
    pairing: Pairing = "equal",
    samples: int | None = None,
    metrics: Sequence[str] = (),
    max_tokens: int = MAX_TOKENS,
    offline: bool = False,
    on_verdict: OnVerdict | None = None,
) -> PairwiseJudgement | RubricJudgement:
    """Let a model judge two versions on the prompts that both have.

    Without a rubric each pair of outputs is shown in both orders, and a version wins a pair only if
    both orders say so (Zheng et al. 2023, arXiv:2306.05685, section 3.4). With a rubric, each
    output is scored on its own. Verdicts are stored as they arrive, and no request is sent twice:
    neither after a crash, nor to another endpoint that serves a model of the same name.

    Args:
        study: the opened study.
        before: name of the first version (usually the parent).
        after: name of the second.
        model: the judge, by its name at the endpoint.
        endpoint: the server of the judge. Default: from the environment.
        rubric: a YAML file, the name of a built-in rubric, or a Rubric; none compares pairs.
        pairing: `equal` compares matched samples (one sample index), which share their noise if
            the study uses common random numbers; `shifted` compares each output with the other
            version's next index, whose noise is independent.
        samples: judge only the first so many of each prompt, which costs less.
        metrics: names; the result has, for each, how often the winner of a pair scores higher.
        max_tokens: limit of a reply; a reply that is cut off before its verdict cannot be read. It
            is part of the request, so a different limit sends the request again.
        offline: send nothing, and fail if a verdict is missing.
        on_verdict: called after each verdict.

    Raises:
        SpecError: generations or, offline, verdicts are missing; no shared prompt; a broken rubric;
            an unknown metric, or metrics together with a rubric.
        BackendError: the endpoint cannot be reached, refuses, or sends an invalid response; earlier
            replies are stored.
        MissingExtraError: a request is needed and the extra `judge` is not installed.
    """
    measures = [_of_one_output(name) for name in metrics]
    if rubric is not None and measures:
        raise SpecError("cannot be combined with --rubric", where="--metric")
    sides = shared(candidates(study, before), candidates(study, after), before, after)
    session = _Session(study, model, endpoint, max_tokens, offline, on_verdict)
    if rubric is not None:
        asked = rubric if isinstance(rubric, Rubric) else load_rubric(rubric)
        return _by_rubric(session, asked, (before, after), sides, samples)
    found = _by_pairs(session, (before, after), sides, pairing, samples)
    return replace(found, agreements=[agreement(found.pairs, each) for each in measures])


def _of_one_output(name: str) -> Metric:
    metric = get(name)
    if not metric.reads_one_output:
        raise SpecError(
            "it needs a model or all samples of a prompt, but verdicts are about single outputs",
            where=f"--metric {name}",
            hint="name a metric of single outputs",
        )
    return metric


def _by_pairs(
    session: _Session,
    names: tuple[str, str],
    sides: tuple[ByPrompt, ByPrompt],
    pairing: Pairing,
    samples: int | None,
) -> PairwiseJudgement:
    pairs = [
        pair
        for prompt_id, first in sides[0].items()
        for pair in match_samples(first, sides[1][prompt_id], pairing, samples)
    ]
    if not pairs:
        raise SpecError(
            "they share no sample index",
            where=" and ".join(names),
            hint="judge versions that have outputs with the same prompt and sample index",
        )
    both = [
        None
        if a.output.text == b.output.text
        else (_pair_request(session, a, b), _pair_request(session, b, a))
        for a, b in pairs
    ]
    verdicts, cost = session.verdicts(PAIRWISE, (each for two in both if two for each in two))
    judged = []
    for (a, b), requests in zip(pairs, both, strict=True):
        if requests is None:
            judged.append(JudgedPair(a.output, b.output, "tie", "tie", ()))
            continue
        forward, backward = (verdicts[each.identity].reply for each in requests)
        judged.append(
            JudgedPair(
                a.output,
                b.output,
                read_winner(forward),
                read_winner(backward),
                (forward, backward),
            )
        )
    same_noise = all(a.output.sample_index == b.output.sample_index for a, b in pairs)
    return PairwiseJudgement(
        before=names[0],
        after=names[1],
        judge=session.model,
        prompt=PAIRWISE,
        pairs=judged,
        pairing=pairing,
        coupled=same_noise and session.study.coupled(*names),
        cost=cost,
    )


def _by_rubric(
    session: _Session,
    rubric: Rubric,
    names: tuple[str, str],
    sides: tuple[ByPrompt, ByPrompt],
    samples: int | None,
) -> RubricJudgement:
    prompt = rubric_prompt(rubric)
    chosen = [
        [each for row in side.values() for each in list(row.values())[:samples]] for side in sides
    ]
    requests = [
        [
            session.request(
                prompt,
                ask_scores(rubric, each.output.prompt, each.output.text, each.output.reference),
                each,
            )
            for each in side
        ]
        for side in chosen
    ]
    verdicts, cost = session.verdicts(prompt, (each for side in requests for each in side))
    first, second = (
        [
            ScoredOutput(each.output, read_scores(rubric, reply), reply)
            for each, asked in zip(side, about, strict=True)
            for reply in [verdicts[asked.identity].reply]
        ]
        for side, about in zip(chosen, requests, strict=True)
    )
    metrics = _criteria(rubric)
    found = differences(
        {name: _measured(metric, first) for name, metric in metrics.items()},
        {name: _measured(metric, second) for name, metric in metrics.items()},
        list(metrics),
        *names,
        coupled=session.study.coupled(*names),
    )
    return RubricJudgement(
        *names, session.model, prompt, (first, second), list(found.values()), cost
    )


class _Session:
    """Where requests get their identities and their verdicts, stored or asked for."""

    def __init__(
        self,
        study: Study,
        model: str,
        endpoint: Endpoint | None,
        max_tokens: int,
        offline: bool,
        on_verdict: OnVerdict | None,
    ) -> None:
        self.study = study
        self.model = model
        self._endpoint = endpoint or Endpoint()
        self._max_tokens = max_tokens
        self._offline = offline
        self._on_verdict = on_verdict

    def request(
        self, prompt: JudgePrompt, text: str, first: Candidate, second: Candidate | None = None
    ) -> _Request:
        """A request with its identity: the judge, the wording, the generations and their order.

        The endpoint is no part of it. The whole text is, because a suite's prompt or right answer
        may change under outputs that were made elsewhere.
        """
        shown = [first.identity, second.identity if second else None]
        identity = digest(
            ["verdict", self.model, prompt.id, prompt.digest, self._max_tokens, shown, text]
        )
        return _Request(identity, text, first.identity, second.identity if second else None)

    def verdicts(
        self, prompt: JudgePrompt, requests: Iterable[_Request]
    ) -> tuple[dict[str, StoredVerdict], Cost]:
        """The verdict of every request by its identity, and what they cost."""
        from ethogram.store import Verdicts

        wanted = {request.identity: request for request in requests}
        verdicts = Verdicts(self.study.store)
        found = verdicts.get(list(wanted))
        missing = [each for identity, each in wanted.items() if identity not in found]
        if missing and self._offline:
            raise SpecError(
                f"{len(missing)} of {len(wanted)} verdicts of {self.model!r} are not stored",
                where=str(self.study.folder),
                hint="run without --offline, with the same --samples and --max-tokens",
            )
        for done, reply in enumerate(self._replies(missing), start=1):
            verdict = self._kept(prompt, wanted[reply.identity], reply)
            verdicts.add([verdict])
            found[verdict.identity] = verdict
            if self._on_verdict:
                self._on_verdict(done, len(missing))
        cost = Cost(
            verdicts=len(found),
            asked=len(missing),
            prompt_tokens=sum(each.prompt_tokens for each in found.values()),
            completion_tokens=sum(each.completion_tokens for each in found.values()),
        )
        return found, cost

    def _replies(self, requests: Sequence[_Request]) -> Iterable[ChatReply]:
        if not requests:
            return
        with closing(ChatClient(self.model, self._endpoint)) as client:
            yield from client.ask(
                ChatRequest(each.identity, each.text, self._max_tokens) for each in requests
            )

    def _kept(self, prompt: JudgePrompt, request: _Request, reply: ChatReply) -> StoredVerdict:
        from ethogram.store import StoredVerdict

        return StoredVerdict(
            identity=request.identity,
            judge=self.model,
            prompt=prompt.id,
            prompt_digest=prompt.digest,
            first=request.first,
            second=request.second,
            reply=reply.text,
            finish_reason=reply.finish_reason,
            served_model=reply.served_model,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            seconds=reply.seconds,
        )


def _pair_request(session: _Session, first: Candidate, second: Candidate) -> _Request:
    """The request to compare a pair in one order."""
    output = first.output
    text = ask_pair(output.prompt, output.text, second.output.text, output.reference)
    return session.request(PAIRWISE, text, first, second)


def _criteria(rubric: Rubric) -> dict[str, Metric]:
    """Each criterion, and the mean of all, as metrics of what the judge said."""
    titles = {each.name: each.question for each in rubric.criteria}
    if len(titles) > 1 and OVERALL not in titles:
        titles[OVERALL] = "the mean of all criteria"
    return {
        name: Metric(
            name=name,
            title=name,
            unit=Unit("points", LOWEST, HIGHEST),
            direction="higher",
            formula=f"mean score from {LOWEST} to {HIGHEST}: {what}",
            source="single-answer grading, Zheng et al. 2023, arXiv:2306.05685, section 3.1",
            reference="",
            pitfalls="a judge favours long answers and its own style",
            function=_unmeasured,
        )
        for name, what in titles.items()
    }


def _unmeasured(output: Output) -> Score:
    raise NotImplementedError("a judge's scores come from verdicts")


def _measured(metric: Metric, scored: Sequence[ScoredOutput]) -> Measured:
    scores = []
    for each in scored:
        if each.scores is None:
            scores.append(NOT_APPLICABLE)
        elif metric.name == OVERALL and OVERALL not in each.scores:
            scores.append(mean_score(sum(each.scores.values()) / len(each.scores)))
        else:
            scores.append(mean_score(each.scores[metric.name]))
    return Measured(metric, [each.output for each in scored], scores)
