"""The page: a study in the browser, served on loopback to the person who started it."""

from pathlib import Path

#: The built page, which is part of the package.
STATIC = Path(__file__).parent / "static"
