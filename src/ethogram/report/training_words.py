"""Words: what a recorded training is doing, or what came of it, in one sentence."""

from __future__ import annotations

from ethogram.report.curves import default_decoding, quantity_of
from ethogram.report.training import amount, duration
from ethogram.train.recorded import TrainingNow

#: Ends of the names of behaviour that the sentence has, of the first decoding.
_BEHAVIOUR = ("loop_rate", "ends_by_itself")


def training_words(now: TrainingNow) -> str:
    """A sentence: how far it is, how fast, how long; then loss and behaviour, first → last."""
    words = [_progress(now)]
    values = _values(now)
    if values:
        words.append(", ".join(values))
    if now.state == "finished":
        warnings = len(now.result.get("findings", ()))
        if warnings:
            words.append(f"{warnings} warning{'s' if warnings > 1 else ''}")
    return "; ".join(words)


def _progress(now: TrainingNow) -> str:
    at = f"step {now.step:,} of {now.steps:,}"
    if now.state == "running":
        speed, left = now.tokens_per_second, now.seconds_left
        words = [at]
        words += [f"{amount(speed)} tokens/s"] if speed else []
        words += [f"about {duration(left)} left"] if left is not None else []
        return ", ".join(words)
    if now.state == "finished":
        return f"{now.steps:,} steps{_took(now)}"
    if now.state == "failed" and now.sitting is not None:
        return f"failed at {at}: {now.sitting.words}"
    return f"{now.state} at {at}{_goes_on(now)}"


def _took(now: TrainingNow) -> str:
    if now.seconds is None:
        return ""
    planned = now.result.get("planned_seconds")
    estimate = "" if planned is None else f" (estimated {duration(planned)})"
    return f" in {duration(now.seconds)}{estimate}"


def _goes_on(now: TrainingNow) -> str:
    if now.checkpoint is None:
        return ", no checkpoint yet: it begins again"
    return f"; goes on from step {now.checkpoint:,}"


def _values(now: TrainingNow) -> list[str]:
    names = ["held_out/loss", "held_out/bits_per_byte"]
    if now.state != "finished" or now.last("held_out/loss") is None:
        names[0] = "train/loss"
    decoding = default_decoding(now.record)
    names += [f"{decoding}/{end}" for end in _BEHAVIOUR]
    return [said for said in (_moved(now, name) for name in names) if said]


def _moved(now: TrainingNow, name: str) -> str:
    before, after = now.first(name), now.last(name)
    if before is None or after is None:
        return ""
    what = quantity_of(name)
    title = f"held-out {what.title.lower()}" if name == "held_out/loss" else what.title.lower()
    if what.behaviour:
        title += f" ({what.series})"
    same = now.ends[name][0].step == now.ends[name][1].step
    return f"{title} {'' if same else f'{what.said(before)} → '}{what.said(after)}"
