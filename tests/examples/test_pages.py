"""The pages: what they tell a person to type works, and nothing leads nowhere."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import TypeAdapter
from yaml import safe_load

import twinloop
from twinloop.scenario.load import load_text

ROOT = Path(__file__).parents[2]
TOLD = (
    "scenario",
    "tutorial-planner",
    "tutorial-ml-engineer",
    "tutorial-operator",
    "economics",
    "faq",
    "how-to",
    "studio",
    "simulate",
    "gym",
    "job-replay",
)
PAGES = [ROOT / "README.md", *(ROOT / "docs" / f"{name}.md" for name in TOLD)]
NAMES = [page.name for page in PAGES]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SKIPPED = ("make ",)
"""Commands that build an environment of their own: the continuous checks run them."""


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in BLOCK.findall(page.read_text(encoding="utf-8")) if language in languages]


def test_every_block_of_code_has_a_language_that_is_run_or_shown():
    for page in PAGES:
        fences = re.findall(r"^```(\S*)", page.read_text(encoding="utf-8"), re.MULTILINE)
        opened = fences[::2]
        assert set(opened) <= {"sh", "python", "yaml", "text", ""}, page.name
        assert all(each == "" for each in fences[1::2]), page.name


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_yaml_blocks_load(page):
    for text in blocks(page, "yaml"):
        assert load_text(text, page).spec.stages


def test_python_blocks_without_a_scenario_run():
    for text in blocks(ROOT / "docs" / "economics.md", "python"):
        exec(compile(text, "economics.md", "exec"), {})  # noqa: S102 -- the page tells readers to


def test_every_key_of_a_scenario_has_a_meaning_and_no_meaning_is_stale(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "generate"))
    meanings, references = importlib.import_module("meanings"), importlib.import_module("references")
    keys = {
        (model.__name__.removesuffix("Spec"), field.alias or name)
        for model in references.sections(references.schema.ScenarioSpec)
        for name, field in model.model_fields.items()
    }
    assert not [f"{section}.{key}" for section, key in sorted(keys) if not meanings.meaning(section, key)]
    assert set(meanings.MEANINGS) <= {f"{section}.{key}" for section, key in keys}
    assert set(meanings.ANYWHERE) <= {key for _, key in keys}


def test_the_scenario_page_is_the_schemas_and_complete(monkeypatch):
    """``make docs`` writes it; every key has its range, what leaving it out means, and an example that is read."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "generate"))
    names = ("references", "left_out")
    references, left = (importlib.import_module(name) for name in names)
    page = ROOT / "docs" / "scenario.md"
    assert page.read_text(encoding="utf-8") == references.scenario_page(), "run `make docs`: the schema has changed"
    known = set()
    for model in references.sections(references.schema.ScenarioSpec):
        section = model.__name__.removesuffix("Spec")
        for name, field in model.model_fields.items():
            key = field.alias or name
            known |= {f"{section}.{key}", key}
            assert left.left_out(section, key, field), f"{section}.{key}"
            written = left.example(section, key, field, references.quantity_of(field))
            assert bool(written) is (f"{section}.{key}" not in left.SECTIONS), f"{section}.{key}"
            if written:
                kind = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
                TypeAdapter(kind).validate_python(safe_load(written), strict=True)
    for table in (left.NUMBERS, left.CHOICES, left.SAID, left.EMPTY, left.EXAMPLES, dict.fromkeys(left.SECTIONS)):
        assert set(table) <= known


LINK = re.compile(r"\]\(([^)\s]+)\)|<(https?://[^>]+)>")
DOI = re.compile(r"https://doi\.org/10\.\d{4,9}/\S+")


def slug(heading: str) -> str:
    """Return the anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def test_links_are_whole_and_their_anchors_exist():
    """What lies outside is looked at by its form only: nothing here reaches the internet."""
    faults = []
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))):
        for found in LINK.finditer(page.read_text(encoding="utf-8")):
            target, _, anchor = (found[1] or found[2]).partition("#")
            if "://" in target:
                whole = (
                    DOI.fullmatch(target) if "doi.org" in target else re.fullmatch(r"https://[\w.-]+\.\w+\S*", target)
                )
                faults += [] if whole else [f"{page.name}: {target}"]
            elif anchor and (other := page.parent / target if target else page).suffix == ".md" and other.exists():
                heads = re.findall(r"^#+ (.*)$", other.read_text(encoding="utf-8"), re.MULTILINE)
                faults += [] if anchor in map(slug, heads) else [f"{page.name}: {target}#{anchor}"]
    assert faults == []


READ = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
CODE = re.compile(r"^```.*?^```|`[^`]*`", re.DOTALL | re.MULTILINE)
OUTSIDE = re.compile(r"https?://[^\s)>\]\"'`,;|]+", re.IGNORECASE)
ADDRESS = re.compile(r"https://[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?:/[\w./()%~#?&=+:@-]*[\w/#)])?/?")
BARE = re.compile(r"\bwww\.\w|(?<![\w./@-])[\w-]+(?:\.[\w-]+)*\.(?:org|com|net|io|eu|gov|edu|dev)\b(?!\()")


def prose(page: Path) -> str:
    """Return a page without its code."""
    return CODE.sub("", page.read_text(encoding="utf-8"))


def outside_faults(text: str) -> list[str]:
    """Return what is wrong with the form of the addresses outside of the project in the prose ``text``."""
    found = [address.rstrip(".:") for address in OUTSIDE.findall(text)]
    faults = [each for each in found if not ADDRESS.fullmatch(each) or "//" in each.removeprefix("https://")]
    faults += [each for each in found if f"]({each})" not in text and f"<{each}>" not in text]
    return faults + [f"bare {host}" for host in BARE.findall(OUTSIDE.sub("", text))]


def respelt(addresses: list[str]) -> list[list[str]]:
    """Return addresses and DOIs that are written in more than one way: case, a slash at the end."""
    ways: dict[str, set[str]] = {}
    for each in addresses:
        ways.setdefault(each.lower().rstrip("/"), set()).add(each)
    return [sorted(each) for each in ways.values() if len(each) > 1]


@pytest.mark.parametrize("page", READ, ids=lambda page: page.name)
def test_what_lies_outside_is_a_whole_link(page):
    assert outside_faults(prose(page)) == []


@pytest.mark.parametrize(
    "text",
    ["[a](http://a.org/b)", "see https://a.org/b", "[a](https://a)", "[a](https://a.org/b.)", "at www.a.org",
     "a.org says", "[a](https://localhost:80/x)", "[a](https://a.org//b)", "<https://a.org/b\\>"],
)  # fmt: skip
def test_addresses_that_are_not_whole_are_found(text):
    assert outside_faults(text)


def test_addresses_that_are_whole_pass():
    assert (
        outside_faults("[a](https://a.org/b?c=1#d), <https://doi.org/10.1/x.1>, plan.json, e.g. 1.5 and node.js") == []
    )


def test_no_address_and_no_doi_is_spelt_in_two_ways():
    written = [path.read_text(encoding="utf-8") for path in (*READ, *(ROOT / "src").rglob("*.py"))]
    addresses = [each.rstrip(".:") for text in written for each in OUTSIDE.findall(text)]
    dois = [each.rstrip(".:')") for text in written for each in CITED.findall(text)]
    assert respelt(addresses) == []
    assert respelt(dois) == []
    assert respelt(["https://doi.org/10.1/Ab", "https://doi.org/10.1/ab"]) != []


CITED = re.compile(r"(?:doi:|doi\.org/)([^\s\",;`]+)", re.IGNORECASE)
WHOLE = re.compile(r"10\.\d{4,9}/[\w.()/:<>-]*[\w)]")


def test_every_doi_is_whole():
    """By its form: a prefix, a suffix, brackets that close, no line break inside."""
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.csv"), *(ROOT / "docs").rglob("*.md")]
    found = [(path.name, doi) for path in files for doi in CITED.findall(path.read_text(encoding="utf-8"))]
    assert len(found) > 40
    faults = []
    for name, written in found:
        doi = written.rstrip(".:'")
        while doi.endswith(")") and doi.count(")") > doi.count("("):
            doi = doi[:-1].rstrip(".:'")
        faults += [] if WHOLE.fullmatch(doi) and doi.count("(") == doi.count(")") else [f"{name}: {written}"]
    assert faults == []


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_blocks_run_in_order_as_a_person_would(page, tmp_path, monkeypatch):
    """Shell lines and Python blocks of a page, one after the other, in a folder of their own."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(text, page.name, "exec"), names)  # noqa: S102
        for line in text.splitlines() if language == "sh" else ():
            words = shlex.split(line, comments=True)
            if not words or line.startswith(SKIPPED):
                continue
            assert words[0] == "twinloop", line
            done = subprocess.run(
                [sys.executable, "-m", "twinloop", *words[1:]], cwd=tmp_path, capture_output=True, text=True,
                timeout=300, check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "100"},
            )  # fmt: skip
            assert done.returncode == 0, f"{line}: {done.stderr}"


@pytest.mark.slow
def test_the_pages_build_without_a_warning(tmp_path):
    pytest.importorskip("sphinx", reason="sphinx is not installed: the pages were NOT built")
    reports = ROOT / "out" / "case-studies"
    if not reports.is_dir():
        pytest.skip("the case studies were not planned here (make docs): the pages were NOT built")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "docs", str(tmp_path / "site")],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "reference" / "scenario.html").read_text(encoding="utf-8")
    for key in twinloop.load(ROOT / "examples" / "fraud-detection.yaml").root.plain():
        assert key in page
