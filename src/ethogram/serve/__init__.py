"""Serve: versions behind an HTTP interface that OpenAI's clients speak."""
