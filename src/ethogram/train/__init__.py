"""Train: recipes over transformers, TRL and PEFT; the result is a model and a child version."""

from ethogram.train.experiment import RecipeComparison, compare_recipes
from ethogram.train.one import Trained
from ethogram.train.reward_model import RewardModel
from ethogram.train.run import train

__all__ = ["RecipeComparison", "RewardModel", "Trained", "compare_recipes", "train"]
