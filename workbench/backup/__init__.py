"""The whole of an installation, saved while it works and restored on a machine that has nothing.

>>> from workbench.backup import read_manifest
>>> read_manifest(Path("nulle-part"))
Traceback (most recent call last):
    ...
workbench.errors.WorkbenchError: nulle-part n'est pas une sauvegarde : son manifeste manque ou ne se lit pas.
Une sauvegarde interrompue n'en a pas : prenez la précédente.
"""

from __future__ import annotations

from pathlib import Path

from workbench.backup.manifest import Manifest, read_manifest
from workbench.backup.restoring import Restored, restore_backup
from workbench.backup.taking import take_backup

__all__ = ["Manifest", "Path", "Restored", "read_manifest", "restore_backup", "take_backup"]
