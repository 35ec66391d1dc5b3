"""Fetches every data set of the replications into the cache, where the tests look for them."""

from __future__ import annotations

from ethogram.replications.data import DataFolders
from ethogram.replications.registry import DATA_SETS


def main() -> None:
    """Fetch what is missing; each file is checked against its pinned digest."""
    folders = DataFolders(fetch=True, on_fetch=print)
    for name in DATA_SETS:
        for path in folders.files(name).values():
            print(path)


if __name__ == "__main__":
    main()
