"""``twinloop studio``: the local planning page."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import click


@click.command(epilog="Example: twinloop studio my.yaml --port 8765")
@click.argument("scenario", type=click.Path(path_type=Path), required=False)
@click.option("--port", type=click.IntRange(1024, 65535), default=8765, show_default=True, help="Of this machine only.")
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
def command(scenario: Path | None, port: int, opens: bool) -> None:
    """Edit, plan, compare and question SCENARIO on a page of this machine; without one, a starter.

    The page is served on 127.0.0.1 alone, to whoever holds the address printed. Nothing leaves the machine. Ctrl-C
    ends it and the plans that still run.
    """
    from twinloop.errors import InputError

    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        raise InputError(f"the planning page needs {' and '.join(missing)}: pip install 'twinloop[serve]'")

    from twinloop.scenario.starters import starter
    from twinloop.studio.session import Session
    from twinloop.studio.start import listening, serve

    text = None if scenario is not None else starter("minimal")
    session = Session(scenario or Path("scenario.yaml"), port, text)
    with listening(port) as place:
        click.echo(f"planning page: {session.address}\nCtrl-C ends it.")
        if opens:
            click.launch(session.address)
        serve(session, place)
