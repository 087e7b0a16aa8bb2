"""The lazy face of the package: every name, in any order, and quickly."""

import subprocess
import sys
from pathlib import Path

import pytest

from twinloop import catalogue


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.mark.parametrize("name", catalogue.__all__)
def test_every_name_is_there_when_asked_for_first_or_last(name):
    value = getattr(catalogue, name)
    assert name == "TABLES" or callable(value)


def test_no_file_shadows_a_look_up():
    files = {path.stem for path in Path(catalogue.__file__).parent.glob("*.py")}
    assert not files & set(catalogue.__all__)


def test_asking_for_one_look_up_leaves_its_sisters_callable():
    code = "from twinloop import catalogue as c; c.device('h100'); print(len(c.devices()), len(c.servers()))"
    assert run(code) == f"{len(catalogue.devices())} {len(catalogue.servers())}"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="divices"):
        catalogue.divices  # noqa: B018 - the access is the test


def test_importing_the_catalogue_imports_no_table_and_no_heavy_library():
    code = (
        "import sys; from twinloop import catalogue; "
        "heavy = ('twinloop.catalogue.', 'numpy', 'jax', 'pandas'); "
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )
    assert run(code) == "[]"
