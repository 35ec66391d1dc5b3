"""Consistency: whether the samples of a prompt say the same.

What a model makes up tends to differ from sample to sample; what it knows tends to stay.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from ethogram.metrics.base import NOT_APPLICABLE, Output, Score, mean_score, metric
from ethogram.metrics.factuality import normalised_answer
from ethogram.metrics.models import Judgement, Models, NliModel
from ethogram.metrics.text import ngrams, sentence_spans
from ethogram.metrics.units import NATS, SHARE

#: Two outputs count as one meaning from this cosine on, where no NLI model judges.
SAME_MEANING = 0.8
_WORD = re.compile(r"\w+|[^\w\s]")
_START = "<s>"
RELATIONS = ("entailment", "neutral", "contradiction")


_MANAKUL = "Manakul et al. 2023, SelfCheckGPT, arXiv:2303.08896"
_FARQUHAR = "Farquhar et al. 2024, Nature, s41586-024-07421-0; Kuhn et al. 2023, arXiv:2302.09664"
_SEMANTIC = (
    "jlko/semantic_uncertainty at b48e3c17, semantic_entropy.py: its worked example, its clusters "
    "written out in tests/metrics, and numpy"
)
_CLUSTERS = "; an output that matches several meanings counts for the last of them"
_AGREE = (
    "Agreement is not truth: an error in every sample is missed. Needs sampling; the papers use "
    "10 to 20 samples at temperature 1."
)


def _tokens(sentence: str) -> list[str]:
    return _WORD.findall(sentence.lower())


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def _grams(text: str, n: int) -> list[list[tuple[str, ...]]]:
    """The n-grams of each sentence, one a token, padded on the left."""
    padded = ([_START] * (n - 1) + _tokens(sentence) for sentence in _sentences(text))
    return [list(ngrams(tokens, n)) for tokens in padded if len(tokens) >= n]


def ngram_surprise(texts: Sequence[str], n: int) -> list[float | None]:
    """Mean over a text's sentences of the largest -log p(n-gram), p counted over all the texts.

    SelfCheckGPT's n-gram model (Manakul et al. 2023, section 5.3): the passage itself is among
    what is counted, so that no probability is 0, and nothing is smoothed.

    Args:
        texts: the samples of one prompt; each is the passage once.
        n: 1 is the paper's best.

    Returns:
        A value for each text; None for one without a word.
    """
    grams = [_grams(text, n) for text in texts]
    counts = Counter(gram for each in grams for sentence in each for gram in sentence)
    total = counts.total()
    return [
        math.fsum(-math.log(min(counts[gram] for gram in sentence) / total) for sentence in each)
        / len(each)
        if each
        else None
        for each in grams
    ]


def _selfcheck_ngram(n: int, outputs: Sequence[Output]) -> Score:
    values = [v for v in ngram_surprise([o.text for o in outputs], n) if v is not None]
    return mean_score(math.fsum(values) / len(values)) if len(values) > 1 else NOT_APPLICABLE


for _n, _name in ((1, "unigram"), (2, "bigram")):
    metric(
        f"selfcheck_{_name}",
        title=f"SelfCheckGPT {_name}, max",
        unit=NATS,
        direction="lower",
        formula="mean over a prompt's outputs, and over their sentences, of the largest -log "
        f"p({_name}), p its share among the {_name}s of all outputs of the prompt; tokens are "
        "lowercased words and punctuation",
        source=f"{_MANAKUL}, section 5.3",
        reference="selfcheckgpt 0.1.7 with the same splitting of words; recorded in tests/metrics",
        pitfalls=f"{_AGREE} Grows with the number and length of samples: compare equal ones. The "
        "paper checks one passage against samples; here each sample takes the role of the "
        "passage once.",
        scope="prompt",
    )(partial(_selfcheck_ngram, _n))


@metric(
    "selfcheck_nli",
    title="SelfCheckGPT NLI",
    unit=SHARE,
    direction="lower",
    formula="mean over a prompt's outputs, their sentences and the other outputs of "
    "P(contradiction) / (P(contradiction) + P(entailment)), premise the sentence, hypothesis "
    "the other output",
    source=f"{_MANAKUL}, section 5.4",
    reference="selfcheckgpt 0.1.7, modeling_selfcheck.py, by arithmetic in tests/metrics",
    pitfalls=f"{_AGREE} The paper's model is potsawee/deberta-v3-large-mnli.",
    needs=("nli",),
    scope="prompt",
)
def _selfcheck_nli(groups: Sequence[Sequence[Output]], models: Models) -> list[Score]:
    cases: list[list[tuple[str, str]]] = []
    for group in groups:
        texts = [output.text for output in group if output.text.strip()]
        cases.append(
            [
                (sentence, other)
                for place, text in enumerate(texts)
                for sentence in _sentences(text)
                for number, other in enumerate(texts)
                if number != place
            ]
        )
    judged = iter(models.nli.judge([pair for pairs in cases for pair in pairs]))
    scores = []
    for pairs in cases:
        found = [next(judged) for _ in pairs]
        shares = [j.contradiction / (j.contradiction + j.entailment) for j in found]
        scores.append(mean_score(math.fsum(shares) / len(shares)) if shares else NOT_APPLICABLE)
    return scores


def cluster(alike: Sequence[Sequence[bool]]) -> list[int]:
    """The meaning of each output: of the clusters whose first member it equals, the last.

    As released with Farquhar et al. 2024 (`get_semantic_ids`): an output that equals no first
    member begins a cluster, and claims all later outputs that it equals, also those of an earlier
    cluster. Sameness by a model is not transitive, so these need not equal one another.

    Args:
        alike: [outputs, outputs], which mean the same.

    Returns:
        A number for each output; clusters are numbered from 0 by their first members.
    """
    ids = [-1] * len(alike)
    firsts = 0
    for place, row in enumerate(alike):
        if ids[place] >= 0:
            continue
        ids[place] = firsts
        for later in range(place + 1, len(alike)):
            if row[later]:
                ids[later] = firsts
        firsts += 1
    return ids


def cluster_entropy(ids: Sequence[int]) -> float:
    """Entropy in nats of how many outputs each meaning has: discrete semantic entropy."""
    shares = np.array(list(Counter(ids).values())) / len(ids)
    return float(-np.sum(shares * np.log(shares)) + 0.0)


def likelihood_entropy(ids: Sequence[int], logprobs: Sequence[float]) -> float:
    """Entropy in nats over meanings that weigh what their outputs' likelihoods sum to.

    Args:
        ids: meaning of each output.
        logprobs: mean log-probability of each output's tokens, in nats.
    """
    weights = np.exp(np.asarray(logprobs) - np.max(logprobs))
    shares = np.bincount(np.asarray(ids), weights=weights) / weights.sum()
    shares = shares[shares > 0]
    return float(-np.sum(shares * np.log(shares)) + 0.0)


def nli_same(texts: Sequence[str], nli: NliModel, *, strict: bool = False) -> list[list[bool]]:
    """Which texts mean the same by an NLI model, judged in both directions.

    Args:
        texts: to compare.
        nli: the judge.
        strict: both directions must entail; else, as released with Farquhar et al. 2024, neither
            may contradict and not both be neutral.
    """
    judged = nli.judge([(one, two) for one in texts for two in texts])
    verdicts = [_verdict(judgement) for judgement in judged]
    rows = [verdicts[start : start + len(texts)] for start in range(0, len(verdicts), len(texts))]
    return [
        [i == k or _same(rows[i][k], rows[k][i], strict=strict) for k in range(len(texts))]
        for i in range(len(texts))
    ]


def _verdict(judgement: Judgement) -> str:
    return max(RELATIONS, key=lambda relation: float(getattr(judgement, relation)))


def _same(there: str, back: str, *, strict: bool) -> bool:
    if strict:
        return there == back == "entailment"
    return "contradiction" not in (there, back) and not there == back == "neutral"


def _by_nli(groups: Sequence[Sequence[Output]], models: Models) -> list[list[int]]:
    # A single output has one meaning without a model.
    return [
        cluster(nli_same([output.text for output in group], models.nli))
        if len(group) > 1
        else [0] * len(group)
        for group in groups
    ]


def _by_vectors(groups: Sequence[Sequence[Output]], models: Models) -> list[list[int]]:
    vectors = models.encoder.encode([output.text for group in groups for output in group])
    ends = np.cumsum([len(group) for group in groups]).tolist()
    return [
        cluster((vectors[start:end] @ vectors[start:end].T >= SAME_MEANING).tolist())
        for start, end in pairwise([0, *ends])
    ]


Clustering = Callable[[Sequence[Sequence[Output]], Models], list[list[int]]]


def _discrete(meanings: Clustering) -> Callable[[Sequence[Sequence[Output]], Models], list[Score]]:
    def measure(groups: Sequence[Sequence[Output]], models: Models) -> list[Score]:
        return [
            mean_score(cluster_entropy(ids)) if len(ids) > 1 else NOT_APPLICABLE
            for ids in meanings(groups, models)
        ]

    return measure


@metric(
    "semantic_entropy",
    title="Semantic entropy",
    unit=NATS,
    direction="lower",
    formula="-Σ p(c) log p(c) over the meanings c of a prompt's outputs; p(c) the sum of "
    "exp(mean token log p) of its outputs, over that of all; two outputs mean the same if "
    "the NLI model finds no contradiction in either direction and at least one direction is "
    f"not neutral{_CLUSTERS}; mean over prompts",
    source=_FARQUHAR,
    reference=_SEMANTIC,
    pitfalls=f"{_AGREE} Needs log-probabilities. Made for answers of one sentence; long outputs "
    "almost never mean the same.",
    needs=("nli",),
    version=2,
    scope="prompt",
)
def _weighed(groups: Sequence[Sequence[Output]], models: Models) -> list[Score]:
    usable = [group if all(o.logprobs for o in group) else [] for group in groups]
    scores = []
    for group, ids in zip(usable, _by_nli(usable, models), strict=True):
        means = [math.fsum(o.logprobs or ()) / len(o.logprobs or (1,)) for o in group]
        scores.append(
            mean_score(likelihood_entropy(ids, means)) if len(ids) > 1 else NOT_APPLICABLE
        )
    return scores


metric(
    "semantic_entropy_discrete",
    title="Discrete semantic entropy",
    unit=NATS,
    direction="lower",
    formula="-Σ p(c) log p(c) over the meanings c of a prompt's outputs, p(c) the share of "
    "outputs; meanings as for semantic_entropy",
    source=_FARQUHAR,
    reference=_SEMANTIC,
    pitfalls=f"{_AGREE} At most log of the number of samples.",
    needs=("nli",),
    version=2,
    scope="prompt",
)(_discrete(_by_nli))

metric(
    "semantic_entropy_by_vectors",
    title="Semantic entropy by vectors",
    unit=NATS,
    direction="lower",
    formula="as semantic_entropy_discrete, but two outputs mean the same if their vectors under "
    f"the sentence encoder have a cosine of {SAME_MEANING} or more",
    source="an approximation made here, where no NLI model is at hand",
    reference=_SEMANTIC,
    pitfalls=f"{_AGREE} A sentence encoder barely notices a negation or a different number: "
    "opposite answers can count as one meaning.",
    needs=("encoder",),
    version=2,
    scope="prompt",
)(_discrete(_by_vectors))


@metric(
    "answer_entropy",
    title="Entropy of the answers",
    unit=NATS,
    direction="lower",
    formula="-Σ p(a) log p(a) over the different outputs a of a prompt, p(a) their share; "
    "compared without case, punctuation and articles; mean over prompts",
    source="discrete semantic entropy with exact match for equivalence; normalisation of "
    "Rajpurkar et al. 2016, arXiv:1606.05250",
    reference="scipy.stats.entropy in tests/metrics",
    pitfalls=f"{_AGREE} For short answers only: every different word makes a different answer.",
    version=2,
    scope="prompt",
)
def _answer_entropy(outputs: Sequence[Output]) -> Score:
    if len(outputs) < 2:
        return NOT_APPLICABLE
    answers = [normalised_answer(output.text) for output in outputs]
    return mean_score(cluster_entropy(cluster([[a == b for b in answers] for a in answers])))
