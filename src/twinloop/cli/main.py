"""The ``twinloop`` command: finds the verb, turns errors into messages and exit codes."""

from __future__ import annotations

import importlib
import sys

import click

from twinloop.errors import TwinloopError
from twinloop.spelling import near

VERBS = {
    "plan": "Choose hardware, placement and cooling together; write plan.json and report.html.",
    "check": "Is my scenario file right? Print every fault, or the resolved model.",
    "new": "Write a commented starter scenario.",
    "simulate": "What happens over a weather year? Energy, water, temperatures, by the hour.",
    "estimate": "How fast, how much memory and power, for this model on these devices?",
    "sweep": "What if, many times: every combination of values, planned in processes.",
    "studio": "The local planning page: edit, plan, compare, move a price or a temperature.",
    "deploy": "The files that run a plan: images, manifests, queues by cooling loop; and their checks.",
    "catalogue": "Look facts up: devices, servers, cooling, climates, prices, with sources.",
    "validate": "Published cases against the model, errors shown.",
}


class LazyGroup(click.Group):
    """Imports a verb's module only when that verb is called, so that ``--help`` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of a person's work."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return ``cmd_name``'s command from ``twinloop.cli.<verb>``."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"twinloop.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the verb that was meant where ``args`` begin with none."""
        if args[0] not in VERBS and not args[0].startswith("-"):
            meant = near(args[0], VERBS)
            hint = f", did you mean {meant[0]}?" if meant else f": {', '.join(VERBS)}"
            raise click.UsageError(f"got {args[0]!r}, expected a verb{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


EPILOG = """
\b
Examples:
  twinloop new my.yaml
  twinloop check my.yaml
  twinloop plan my.yaml --out out/my
  twinloop simulate my.yaml --plan out/my/plan.json
\b
Exit codes: 0 done; 2 the input is wrong; 3 no plan satisfies all constraints; 1 anything else.
"""


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twinloop")
def cli() -> None:
    """Twinloop designs, simulates and explains AI clusters on hybrid cooling."""


def main() -> None:
    """Run the command; a mistake of the user's ends in a message and exit code 2 or 3, never a traceback."""
    try:
        code = cli.main(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.exceptions.Exit as ending:
        sys.exit(ending.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except OSError as error:
        click.echo(f"twinloop: {error.filename}: {error.strerror}", err=True)
        sys.exit(2)
    except TwinloopError as error:
        click.echo(f"twinloop: {error}", err=True)
        sys.exit(error.exit_code)
