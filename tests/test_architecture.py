"""What holds for the whole house: imports, layers, docstrings, sizes, and that it speaks of itself alone."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

from twinloop.cli.main import VERBS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "twinloop"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    ".csv",
    ".json",
    ".html",
    ".css",
    ".js",
    ".j2",
    ".cfg",
    "",
}


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def files_of_the_project() -> list[Path]:
    """Tracked files; where there is no git, everything outside of what .gitignore names."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode == 0 and listing.stdout:
        return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]
    aside = {".git", ".venv", "out", "build", "dist", "site"}
    return [
        path for path in ROOT.rglob("*")
        if path.is_file() and not any(
            part in aside or part.endswith(("_cache", ".egg-info")) or part in ("__pycache__", ".hypothesis")
            for part in path.relative_to(ROOT).parts
        )
    ]  # fmt: skip


# Imports


PROBE = """
import sys

class Watch:
    asked = []
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("jax", "jaxlib"):
            self.asked.append(name)
        return None

sys.meta_path.insert(0, Watch())
{body}
print("asked:", *Watch.asked)
print("loaded:", *sorted(name for name in sys.modules if "." not in name))
"""

RUN = """
import click
from twinloop.cli.main import cli
try:
    cli.main({arguments!r}, standalone_mode=False)
except (click.exceptions.Exit, SystemExit) as ending:
    code = getattr(ending, "exit_code", getattr(ending, "code", 0))
    if code:
        raise
"""


def probe(body: str) -> tuple[set[str], set[str]]:
    """Return which jax modules were asked for, and which top-level modules ended up loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(body=body)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    asked, loaded = done.stdout.splitlines()[-2:]
    return set(asked.split()[1:]), set(loaded.split()[1:])


def run(*arguments: str) -> tuple[set[str], set[str]]:
    return probe(RUN.format(arguments=list(arguments)))


def test_importing_the_package_is_light():
    asked, loaded = probe("import twinloop")
    assert not asked
    assert not loaded & {"pyarrow", "highspy", "scipy", "pandas", "jinja2", "pydantic", "rich"}


def test_help_is_light():
    asked, loaded = run("--help")
    assert not asked
    assert not loaded & {"numpy", "pyarrow", "highspy", "scipy", "pandas", "jinja2", "pydantic", "rich"}


@pytest.mark.parametrize("verb", list(VERBS))
def test_help_of_a_verb_loads_no_physics(verb):
    asked, loaded = run(verb, "--help")
    assert not asked
    assert not loaded & {"pyarrow", "highspy", "scipy", "jinja2"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "examples/fraud-detection.yaml"),
        ("catalogue", "devices"),
    ],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_the_quick_verbs_never_ask_for_jax(arguments):
    asked, loaded = run(*arguments)
    assert not asked
    assert not loaded & {"highspy", "scipy", "jinja2"}


def test_no_module_imports_jax_or_the_network():
    barred = {"jax", "jaxlib", "torch", "scipy", "pandas", "requests", "urllib", "http", "socket"}
    found = [
        f"{relative(path)}: {name}"
        for path in SOURCES
        for name in imported(path)
        if name.split(".")[0] in barred
    ]  # fmt: skip
    # The compiled hall is a room of its own that nothing else imports: whoever asks for it asks for JAX.
    # Long second-scale runs import it when they start, where it is installed.
    # The planning page binds one port of this machine.
    assert found == [
        "src/twinloop/studio/start.py: socket",
        "src/twinloop/twin/compiled.py: jax",
        "src/twinloop/twin/compiled.py: jax.numpy",
        "src/twinloop/twin/transient_compiled.py: jax",
    ]
    assert not [relative(path) for path in SOURCES if "twinloop.twin.compiled" in imported(path)]


def imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}: relative import"
            names.append(node.module or "")
    return names


def test_layers():
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([str(tool), "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# Form


def public(tree: ast.Module):
    """Yield every public class and function that a caller can reach, methods included."""
    for node in tree.body:
        yield from public_of(node)


def public_of(node: ast.stmt):
    if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) or node.name.startswith("_"):
        return
    yield node
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            yield from public_of(inner)


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_every_public_thing_says_what_it_is(path):
    tree = ast.parse(path.read_text("utf-8"))
    silent = [f"{node.name} (line {node.lineno})" for node in public(tree) if not ast.get_docstring(node)]
    assert not silent
    assert ast.get_docstring(tree), "the module says nothing"


def test_files_stay_small():
    long = {relative(path): lines for path in SOURCES if (lines := len(path.read_text("utf-8").splitlines())) > 400}
    assert not long


def test_functions_stay_small():
    long = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = node.end_lineno - body[0].lineno + 1 if body else 0
                if lines > 50:
                    long.append(f"{relative(path)}: {node.name}, {lines} lines")
    assert not long


def test_no_drawer_of_leftovers():
    names = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}
    assert not [relative(path) for path in (*SOURCES, *(ROOT / "tests").rglob("*.py")) if path.name in names]


def test_test_files_have_names_of_their_own():
    paths = [path for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert len({path.name for path in paths}) == len(paths)
    assert not [relative(path) for path in paths if path.name == "__init__.py"]


# Speaking of itself alone


# Put together from parts, or this file would find itself.
MACHINE_PATHS = (
    "/wo" + "rk/",
    "/ro" + "ot/",
    "/ho" + "me/",
    "/opt/" + "wheels",
    "/opt/" + "pypi",
    "C:\\" + "Users",
)
INDEX_HOSTS = (
    "pypi" + ".org",
    "python" + "hosted",
    "npm" + "js",
    "index" + "-url",
    "find" + "-links",
    "conda" + ".org",
)


@cache
def texts() -> tuple[tuple[str, str], ...]:
    return tuple(
        (relative(path), path.read_text("utf-8", errors="replace"))
        for path in files_of_the_project()
        if path.suffix in TEXT
    )


@pytest.mark.parametrize("word", [*MACHINE_PATHS, *INDEX_HOSTS])
def test_no_file_names_a_machine_or_an_index(word):
    assert not [name for name, text in texts() if word in text]


def test_the_project_never_reads_the_reference_folder_at_run_time():
    assert not [relative(path) for path in SOURCES if "shared" + "/reference" in path.read_text("utf-8")]


LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def test_every_link_leads_somewhere():
    broken = []
    for path in files_of_the_project():
        if path.suffix != ".md":
            continue
        for found in LINK.finditer(path.read_text("utf-8")):
            target = (found[1] or found[2]).split("#")[0]
            elsewhere = not target or "://" in target or target.startswith("mailto:")
            if not elsewhere and not (path.parent / target).exists():
                broken.append(f"{relative(path)}: {target}")
    assert not broken


# Packaging


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    named = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in named)
    names = [line.split("==")[0].lower() for line in named]
    assert names == sorted(names)
    return {normal(line.split("==")[0]): line.split("==")[1] for line in named}


def test_every_dependency_is_pinned_and_above_its_floor():
    wanted = [
        *project()["dependencies"],
        *(name for extra in project()["optional-dependencies"].values() for name in extra),
    ]
    pinned = pins()
    for line in wanted:
        name, floor = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?>=([0-9.]+)", line).groups()
        version = tuple(int(part) for part in re.findall(r"\d+", pinned[normal(name)])[:3])
        assert version >= tuple(int(part) for part in floor.split(".")), line


def test_the_project_itself_is_not_pinned():
    assert "twinloop" not in pins()


def test_licence_and_changelog_are_there():
    assert "Apache License" in (ROOT / "LICENSE").read_text("utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "[Unreleased]" in changelog or f"[{project()['version']}]" in changelog


def test_every_verb_has_its_file():
    assert not [verb for verb in VERBS if not (PACKAGE / "cli" / f"{verb}.py").is_file()]
