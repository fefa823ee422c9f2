"""The site is built of the documents without a warning, holds all of them, and asks nothing of another address."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.cli.reference import error_reference
from workbench.errors import ERRORS

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md"))
FETCHED = re.compile(
    r"<(?:script|img|iframe|source)[^>]*\bsrc=\"?(https?:)?//|<link[^>]*\bhref=\"?(https?:)?//[^>]*stylesheet"
)


def build(to: Path, settings: Path = ROOT / ".ci" / "site.yml") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(settings), "-d", str(to)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={"NO_MKDOCS_2_WARNING": "1", "PATH": ""}
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("material", reason="mkdocs-material absent")
    to = tmp_path_factory.mktemp("site")
    built = build(to)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return to


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_each_document_is_a_page(site: Path, page: Path) -> None:
    target = site / page.with_suffix("") / "index.html" if page.stem != "index" else site / "index.html"
    html = target.read_text(encoding="utf-8")
    assert not FETCHED.search(html), "the site fetches something"
    assert 'lang="fr"' in html


def test_a_broken_link_is_not_built(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="mkdocs-material absent")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[absent](absent.md)\n", encoding="utf-8")
    settings = (ROOT / ".ci" / "site.yml").read_text(encoding="utf-8").partition("\nnav:")[0]
    (tmp_path / "site.yml").write_text(settings.replace("../docs", "docs").replace("../site", "site"), encoding="utf-8")
    built = build(tmp_path / "to", tmp_path / "site.yml")
    assert built.returncode != 0
    assert "absent.md" in built.stderr


def test_the_reference_of_errors_is_current() -> None:
    written = (ROOT / "docs" / "erreurs.md").read_text(encoding="utf-8")
    assert written == error_reference(), "run: python -m workbench.cli.reference erreurs > docs/erreurs.md"
    assert len(re.findall(r"^\| `\w+` \|", written, re.MULTILINE)) == len(ERRORS)
