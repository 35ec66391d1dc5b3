"""Units: what a metric's value is counted in, its bounds and its decimals."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A unit of values.

    Attributes:
        name: as tables show it.
        low: no value is lower.
        high: no value is higher.
        decimals: that tables show; two suit percent, words and tokens, values between -1 and 1
            need one more.
        counted: whether an output cannot have more of it than it has tokens.
    """

    name: str
    low: float = -math.inf
    high: float = math.inf
    decimals: int = 2
    counted: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return self.low, self.high

    @property
    def width(self) -> float:
        """Of the range that values lie in; infinite where one side has no bound."""
        return self.high - self.low

    @property
    def is_bounded(self) -> bool:
        """Whether both sides have a bound."""
        return math.isfinite(self.width)


SHARE = Unit("share", 0.0, 1.0, decimals=3)
PERCENT = Unit("percent", 0.0, 100.0)
RATIO = Unit("ratio", 0.0, decimals=3)
WORDS = Unit("words", 0.0, counted=True)
TOKENS = Unit("tokens", 0.0, counted=True)
#: References that an output cites.
REFERENCES = Unit("references", 0.0, counted=True)
#: Token ids where they are known, else words.
TEXT_UNITS = Unit("units", 0.0)
CYCLES = Unit("cycles", 0.0)
LOOPS = Unit("loops", 0.0)
OUTPUTS = Unit("outputs", 0.0)
LOG_COUNT = Unit("log count", 0.0)
PERPLEXITY = Unit("perplexity", 1.0)
NATS = Unit("nats", 0.0)
NATS_PER_TOKEN = Unit("nats per token", high=0.0)
BITS = Unit("bits", 0.0)
SLOPE = Unit("slope")
#: Also for differences of cosines, so without bounds.
COSINE = Unit("cosine", decimals=3)
COSINE_DISTANCE = Unit("cosine distance", decimals=3)
COSINE_PER_100_TOKENS = Unit("cosine per 100 tokens", decimals=3)
