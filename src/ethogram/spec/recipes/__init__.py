"""Recipes: what a user writes to train a model, validated before any weight is loaded."""

from ethogram.spec.recipes.found import FoundRecipe, find_recipes
from ethogram.spec.recipes.load import load_chain, load_recipe, recipe_schema
from ethogram.spec.recipes.recipe import (
    BaseRecipe,
    DpoRecipe,
    GrpoRecipe,
    KtoRecipe,
    ModelRecipe,
    PretrainRecipe,
    Recipe,
    RewardRecipe,
    RlhfRecipe,
    SftRecipe,
    TunedRecipe,
)
from ethogram.spec.recipes.settings import (
    Architecture,
    Data,
    Evaluation,
    Lora,
    Reward,
    Tokenizer,
    Training,
)

__all__ = [
    "Architecture",
    "BaseRecipe",
    "Data",
    "DpoRecipe",
    "Evaluation",
    "FoundRecipe",
    "GrpoRecipe",
    "KtoRecipe",
    "Lora",
    "ModelRecipe",
    "PretrainRecipe",
    "Recipe",
    "Reward",
    "RewardRecipe",
    "RlhfRecipe",
    "SftRecipe",
    "Tokenizer",
    "Training",
    "TunedRecipe",
    "find_recipes",
    "load_chain",
    "load_recipe",
    "recipe_schema",
]
