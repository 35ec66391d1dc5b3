"""Confidence of replies: how often replies of a given confidence are right, on the built-in model.

    python -m benchmarks.confidence

asks short questions with known answers, eight candidates each, as free text and in the form of
a schema. It prints a table of reliability for the token probability and for the agreement of the
candidates: the stated confidence beside the share of right answers. Then it fits a logistic curve
on half of the questions and measures on the other half.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from ethogram.engine import Engine
from ethogram.models import ModelReference, load
from ethogram.spec import Decoding, Message, Request
from ethogram.spec.wrapper import Wrapper
from ethogram.wrap import Answer, WrappedBackend

CAPITALS = """France Paris, Germany Berlin, Italy Rome, Spain Madrid, Portugal Lisbon,
Greece Athens, Austria Vienna, Poland Warsaw, Hungary Budapest, Ireland Dublin, Norway Oslo,
Sweden Stockholm, Finland Helsinki, Denmark Copenhagen, Belgium Brussels, Japan Tokyo,
China Beijing, India Delhi, Egypt Cairo, Kenya Nairobi, Canada Ottawa, Cuba Havana, Peru Lima,
Chile Santiago, Russia Moscow, Turkey Ankara, Iran Tehran, Iraq Baghdad, Thailand Bangkok,
Vietnam Hanoi, Nepal Kathmandu, Australia Canberra, Ukraine Kyiv, Romania Bucharest,
Bulgaria Sofia, Croatia Zagreb, Serbia Belgrade, Czechia Prague, Latvia Riga, Lithuania Vilnius,
Estonia Tallinn, Iceland Reykjavik, Ghana Accra, Senegal Dakar, Morocco Rabat, Ethiopia Ababa,
Colombia Bogota, Ecuador Quito, Jordan Amman"""
OPPOSITES = """hot cold, big small, up down, day night, fast slow, happy sad, rich poor, old young,
light dark, wet dry, hard soft, open closed, strong weak, full empty, early late, high low,
long short, near far, clean dirty, true false, black white, left right, first last, good bad"""
FACTS = """How many legs does a spider have?|8 eight
How many days are in a week?|7 seven
How many months are in a year?|12 twelve
How many minutes are in an hour?|60 sixty
How many sides has a triangle?|3 three
How many continents are there?|7 seven
How many planets are in the solar system?|8 eight
Which planet is closest to the sun?|mercury
Which planet is the largest?|jupiter
Which planet is called the red planet?|mars
What is the chemical symbol of gold?|au
What is the chemical symbol of water?|h2o
Which gas do plants take in from the air?|carbon co2
Which gas do people need to breathe?|oxygen
What colour is a ripe banana?|yellow
What colour is grass?|green
What colour do blue and yellow make?|green
Which animal barks?|dog dogs
Which animal gives milk and says moo?|cow cows
What is a baby dog called?|puppy pup
What is a baby cat called?|kitten
What is a young sheep called?|lamb
Which is the longest river in Africa?|nile
Which is the largest ocean?|pacific
Which is the highest mountain?|everest
Which organ pumps blood?|heart
Who wrote Hamlet?|shakespeare
Who painted the Mona Lisa?|leonardo vinci
What is frozen water called?|ice
What do bees make?|honey
Which metal is liquid at room temperature?|mercury
At how many degrees Celsius does water boil?|100 hundred
Which language is spoken in Brazil?|portuguese
Which language is spoken in Austria?|german
What is the currency of Japan?|yen
What is the currency of the United Kingdom?|pound sterling
Which season comes after winter?|spring
Which month comes after June?|july
Which day comes after Monday?|tuesday
How many letters has the English alphabet?|26 twenty-six"""
SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string", "minLength": 1, "maxLength": 40}},
    "required": ["answer"],
    "additionalProperties": False,
}
CANDIDATES = 8
BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """A question and the words of which one must be in a right answer."""

    text: str
    right: tuple[str, ...]


def questions() -> list[Question]:
    """All of them; every second one is of the half that a curve is fitted on."""
    found = [Question(text, (right,)) for text, right in _pairs()]
    for line in FACTS.splitlines():
        text, _, right = line.partition("|")
        found.append(Question(text, tuple(right.split())))
    rng = np.random.default_rng(1)
    for first, second in rng.integers(2, 30, (40, 2)).tolist():
        sign = "+" if (first + second) % 2 else "*"
        value = first + second if sign == "+" else first * second
        found.append(Question(f"What is {first} {sign} {second}?", (str(value),)))
    return [found[index] for index in np.random.default_rng(2).permutation(len(found))]


def _pairs() -> list[tuple[str, str]]:
    made = []
    for text, words in (
        ("What is the capital of {}?", CAPITALS),
        ("What is the opposite of the word {}?", OPPOSITES),
    ):
        for pair in words.replace("\n", " ").split(", "):
            about, right = pair.split()
            made.append((text.format(about), right))
    return made


def is_right(answer: Answer, question: Question) -> bool:
    """Whether an answer has one of the right words."""
    text = answer.data["answer"] if isinstance(answer.data, dict) else answer.answer
    words = re.findall(r"[\w-]+", str(text).casefold())
    return any(right.casefold() in words for right in question.right)


def ask(engine: Engine, asked: Sequence[Question], *, form: bool) -> list[tuple[Answer, bool]]:
    """The answers, each with whether it is right."""
    settings: dict[str, Any] = {"temperature": 0.7, "max_new_tokens": 32}
    if form:
        schema = {"type": "json_schema", "json_schema": {"schema": SCHEMA}}
        settings["response_format"] = schema
    decoding = Decoding(**settings)
    wrapper = Wrapper(candidates=CANDIDATES, confidence=True, most_sentences=1)
    told = "Answer as JSON with the field answer, in one or two words. " if form else ""
    short = "" if form else " Answer in one word."
    requests = [
        Request(
            str(number),
            str(number),
            0,
            (Message("user", f"{told}{question.text}{short}"),),
            decoding,
            noise_key=number,
            wrapper=wrapper,
        )
        for number, question in enumerate(asked)
    ]
    made = {each.identity: each for each in WrappedBackend(engine, engine.text).generate(requests)}
    answers = [Answer.of(made[str(number)], decoding) for number in range(len(asked))]
    return [(answer, is_right(answer, asked[at])) for at, answer in enumerate(answers)]


def measure(name: str, stated: Floats, right: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Print the table of reliability of one confidence; returns its figures."""
    print(f"\n{name}: {len(stated)} replies, {right.mean():.1%} right\n")
    print("| stated | replies | mean stated | right | 95 % interval |")
    print("|---|---|---|---|---|")
    for low, high in itertools.pairwise(BINS):
        mine = (stated >= low) & ((stated < high) | (high == 1.0))
        count = int(mine.sum())
        if not count:
            continue
        interval = binomtest(int(right[mine].sum()), count).proportion_ci(method="wilson")
        print(
            f"| {low:.1f} to {high:.1f} | {count} | {stated[mine].mean():.2f} | "
            f"{right[mine].mean():.2f} | {interval.low:.2f} to {interval.high:.2f} |"
        )
    figures = {"stated": _figures(stated, right)}
    fitted = _fitted(stated, right)
    if fitted is not None:
        figures["fitted"] = fitted
    print()
    for kind, (error, brier, auroc) in figures.items():
        print(f"{kind}: calibration error {error:.3f}, Brier {brier:.3f}, AUROC {auroc:.3f}")
    base = float(right.mean())
    print(f"always stating {base:.2f}: Brier {base * (1 - base):.3f}")
    return {kind: list(values) for kind, values in figures.items()}


def _figures(stated: Floats, right: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    """Expected calibration error over the bins, Brier score, area under the ROC curve."""
    places = np.clip(np.digitize(stated, BINS) - 1, 0, len(BINS) - 2)
    error = sum(
        abs(stated[places == at].sum() - right[places == at].sum()) for at in range(len(BINS) - 1)
    )
    mixed = 0 < right.sum() < len(right)
    auroc = float(roc_auc_score(right, stated)) if mixed else math.nan
    return error / len(stated), float(((stated - right) ** 2).mean()), auroc


def _fitted(stated: Floats, right: npt.NDArray[np.bool_]) -> tuple[float, float, float] | None:
    """The same of the second half of the replies, by a curve that is fitted on the first half."""
    odds = np.log(np.clip(stated, 0.01, 0.99) / (1 - np.clip(stated, 0.01, 0.99)))[:, None]
    half = len(stated) // 2
    if len(set(right[:half].tolist())) < 2:
        return None
    curve = LogisticRegression().fit(odds[:half], right[:half])
    return _figures(curve.predict_proba(odds[half:])[:, 1], right[half:])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--questions", type=int, default=1000, help="at most")
    options = parser.parse_args()
    reference = ModelReference("smollm2-135m-instruct", dtype="bfloat16")
    engine = Engine(load(reference, device="cpu"))
    asked = questions()[: options.questions]
    results = {}
    for kind, form in (("free text", False), ("JSON", True)):
        answers = ask(engine, asked, form=form)
        right = np.array([is_it for _, is_it in answers])
        for name in ("token_probability", "agreement"):
            stated = np.array([float(getattr(answer, name)) for answer, _ in answers])
            results[f"{kind}, {name}"] = measure(f"{kind}, {name}", stated, right)
    print("\n" + json.dumps(results))


if __name__ == "__main__":
    main()
