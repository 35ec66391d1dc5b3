"""Train: recipes over transformers, TRL and PEFT; the result is a model and a child version."""
