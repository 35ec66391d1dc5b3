"""The stats room; see the map in CONTRIBUTING.md."""
