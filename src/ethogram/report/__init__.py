"""The report room; see the map in CONTRIBUTING.md."""
