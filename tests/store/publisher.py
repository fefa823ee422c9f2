"""A process that publishes arrays of sheets until it is killed, and says each one that was acknowledged."""

from __future__ import annotations

import sys
from types import SimpleNamespace

from workbench.store import open_store

SIZE = 50

if __name__ == "__main__":
    address, name = sys.argv[1:]
    writer = SimpleNamespace(email=f"{name}@exemple.fr", badges=frozenset())
    with open_store(address) as store:
        print("ready", flush=True)  # noqa: T201
        for turn in range(10_000):
            value = {name: turn, "last": [name, turn]}
            numbers = range(SIZE) if name == "a" else reversed(range(SIZE))
            array = [{"key": {"object": str(n)}, "scope": ["x"] if n % 2 else [], "value": value} for n in numbers]
            store.put(writer, "public", array)
            print(turn, flush=True)  # noqa: T201
