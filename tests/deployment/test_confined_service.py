"""What a unit allows is enough: kernels fork, print and close their folders under the unit's own filter.

The filter is the unit's, expanded by systemd and loaded by libseccomp, which is how systemd itself loads it.
"""

from __future__ import annotations

import ctypes.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from installation import install

from workbench.deployment.files import Installation, texts
from workbench.kernels.confinement import is_confinable

SCRIPT = """
import ctypes, json, os, sys

library = ctypes.CDLL(sys.argv[1], use_errno=True)
library.seccomp_init.restype = ctypes.c_void_p
denied = 0x00050000 | 1  # SCMP_ACT_ERRNO(EPERM)
context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(denied)))
for name in sys.argv[2].split():
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:
        assert library.seccomp_rule_add_array(context, ctypes.c_uint32(0x7FFF0000), number, 0, None) == 0, name
assert library.seccomp_load(context) == 0

try:
    ctypes.CDLL(None, use_errno=True).mount(b"none", b"/mnt", b"tmpfs", 0, None)
    assert ctypes.CDLL(None).getuid() >= 0
finally:
    pass
mounted = os.path.ismount("/mnt")

import nbformat
from nbclient import NotebookClient

CODE = '''
import json, os
def may_write(path):
    try:
        open(path, "w").close()
    except OSError:
        return False
    return True
print(json.dumps({
    "parent": open(f"/proc/{os.getppid()}/cmdline").read().replace(chr(0), " "),
    "inside": may_write(INSIDE), "outside": may_write(OUTSIDE),
}))
'''.replace("INSIDE", repr(sys.argv[3] + "/dedans/a")).replace("OUTSIDE", repr(sys.argv[3] + "/dehors"))
cells = [nbformat.v4.new_code_cell(CODE)]
metadata = {"kernelspec": {"name": "workbench", "display_name": "", "language": "python"}}
notebook = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
executed = NotebookClient(notebook, kernel_name="workbench", timeout=120).execute()
print(json.dumps({"mounted": mounted, **json.loads(executed.cells[0].outputs[0].text)}))
"""


def allowed(unit: str) -> list[str]:
    """Return the system calls that a unit allows, as systemd expands them."""
    words = [
        word
        for line in texts(Installation("a.fr"))[f"systemd/{unit}"].splitlines()
        if line.startswith("SystemCallFilter=")
        for word in line.partition("=")[2].split()
    ]
    calls: list[str] = []
    while words:
        word = words.pop()
        if word.startswith("@"):
            command = ["systemd-analyze", "syscall-filter", "--no-pager", word]
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
            words += [line.strip() for line in told[1:] if line.startswith("    ") and not line.strip().startswith("#")]
        else:
            calls.append(word)
    return calls


def test_a_kernel_lives_under_the_filter_of_its_unit(tmp_path: Path, project: Path) -> None:
    library = ctypes.util.find_library("seccomp")
    if shutil.which("systemd-analyze") is None or library is None:
        pytest.skip("systemd absent: systemd-analyze and libseccomp are not installed")
    if not is_confinable():
        pytest.skip("Landlock absent: this system confines nothing")
    (tmp_path / "dedans").mkdir()
    variables = install(
        tmp_path / "env", project, preload=["workbench.numbers"], ready=0, writable=[str(tmp_path / "dedans")]
    )
    calls = allowed("workbench-tableaux.service")
    assert "openat" in calls
    assert "mount" not in calls
    import json

    places = ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "TMPDIR")
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT, library, " ".join(calls), str(tmp_path)],
        env={**os.environ, **variables, **dict.fromkeys(places, str(tmp_path / "dedans"))},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    said = json.loads(answer.stdout.splitlines()[-1])
    assert "workbench.kernels.zygote" in said["parent"]
    assert (said["mounted"], said["inside"], said["outside"]) == (False, True, False)
