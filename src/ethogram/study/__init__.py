"""The study room; see the map in CONTRIBUTING.md."""
