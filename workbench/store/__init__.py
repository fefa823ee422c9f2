"""The object store: sheets that each carry the badges needed to read them, one access rule, one journal."""

from __future__ import annotations

from workbench.store.client import Client, StoreError
from workbench.store.desk import Desk, StoreDoor, my_store
from workbench.store.files import StoredFile, file_property
from workbench.store.keys import Reader
from workbench.store.store import Store, open_store

__all__ = [
    "Client",
    "Desk",
    "Reader",
    "Store",
    "StoreDoor",
    "StoreError",
    "StoredFile",
    "file_property",
    "my_store",
    "open_store",
]
