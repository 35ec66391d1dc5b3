"""Statistics of versions: paired intervals over prompts."""

from ethogram.stats.bootstrap import Interval, bootstrap, paired_bootstrap

__all__ = ["Interval", "bootstrap", "paired_bootstrap"]
