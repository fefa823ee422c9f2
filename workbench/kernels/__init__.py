"""Kernels that are ready at once: forked from a process that has imported the libraries, bounded, ended cleanly.

`provisioner` is what Jupyter calls; `zygote` is the process that forks; `forked` is the life of a kernel after the
fork; `launch` is the plain kernel, used where there is no fork and whenever the zygote fails. Nothing here knows what
notebooks compute: the modules to import are listed in ``spec/kernel.json``.
"""

from __future__ import annotations
