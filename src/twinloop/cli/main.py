"""The ``twinloop`` command: finds the verb, turns errors into messages and exit codes."""

from __future__ import annotations

import importlib
import sys

import click

from twinloop.errors import TwinloopError

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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="twinloop")
def cli() -> None:
    """Twinloop designs, simulates and explains AI clusters on hybrid cooling.

    Start with: twinloop new my.yaml && twinloop plan my.yaml
    """


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
