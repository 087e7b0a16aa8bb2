"""Read what another verb wrote."""

from __future__ import annotations

from pathlib import Path

from twinloop.errors import InputError
from twinloop.model.codec import loads
from twinloop.model.plan import Plan


def read_plan(file: Path) -> Plan:
    """Return the plan in ``file``.

    Raises:
        InputError: names the file and what is wrong with it.
    """
    try:
        return loads(Plan, file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: {getattr(error, 'strerror', None) or 'not text in UTF-8'}") from error
    except InputError as error:
        written = "expected a plan.json as `twinloop plan` writes it"
        if file.suffix in (".yaml", ".yml"):
            raise InputError(f"{file}: got a scenario, {written}: twinloop plan {file}") from error
        raise InputError(f"{file}: {error}; {written}") from error
