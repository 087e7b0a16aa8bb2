"""Read what another verb wrote."""

from __future__ import annotations

from pathlib import Path

from twinloop.errors import InputError
from twinloop.model.codec import loads
from twinloop.model.plan import SCHEMA, Plan


def read_plan(file: Path) -> Plan:
    """Return the plan in ``file``.

    Raises:
        InputError: names the file and what is wrong with it.
    """
    try:
        plan = loads(Plan, file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: {getattr(error, 'strerror', None) or 'not text in UTF-8'}") from error
    except InputError as error:
        written = "expected a plan.json as `twinloop plan` writes it"
        if file.suffix in (".yaml", ".yml"):
            raise InputError(f"{file}: got a scenario, {written}: twinloop plan {file}") from error
        raise InputError(f"{file}: {error}; {written}") from error
    if plan.schema != SCHEMA:
        raise InputError(f"{file}: schema: got {plan.schema}, expected {SCHEMA}: plan anew with this version")
    return plan
