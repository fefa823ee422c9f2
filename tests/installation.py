"""The package as if installed: its entry point, its kernel specification and its pages, found by Jupyter's own means."""

from __future__ import annotations

import json
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

__all__ = ["install"]


def install(folder: Path, project: Path, **settings: Any) -> dict[str, str]:
    """Write what installing a wheel puts beside the package; return the variables that make Jupyter look there.

    Parameters
    ----------
    folder
        What stands for the prefix of an environment.
    project
        The checkout that kernels import.
    **settings
        Of the provisioner of kernels, in place of those of the specification.
    """
    declared = tomllib.loads((project / "pyproject.toml").read_text())
    points = declared["project"]["entry-points"]["jupyter_client.kernel_provisioners"]
    shared = declared["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]
    metadata = folder / "workbench-0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: workbench\nVersion: 0\n")
    lines = ["[jupyter_client.kernel_provisioners]", *(f"{name} = {value}" for name, value in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    for source, target in shared.items():  # a wheel puts them under the prefix, where Jupyter looks
        shutil.copytree(project / source, folder / target)
    specification = folder / "share" / "jupyter" / "kernels" / "workbench" / "kernel.json"
    content = json.loads(specification.read_text())
    content["metadata"]["kernel_provisioner"]["config"] |= settings
    specification.write_text(json.dumps(content))
    return {
        "JUPYTER_PATH": str(folder / "share" / "jupyter"),
        "JUPYTER_CONFIG_PATH": str(folder / "etc" / "jupyter"),
        "PYTHONPATH": os.pathsep.join((str(project), str(folder))),
    }
