"""LLM judges: what is asked, which outputs meet, and what the verdicts say with intervals."""
