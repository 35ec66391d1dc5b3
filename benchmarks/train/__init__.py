"""Training beside plain trainers: same model, same data, one process each, in turns."""
