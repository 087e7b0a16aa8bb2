"""What a terminal gets: tables of at most 100 columns, help with examples, and with --json nothing but JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from twinloop.cli.catalogue import ABOUT
from twinloop.cli.deploy import command as deploy
from twinloop.cli.main import VERBS, cli

SMALL = Path(__file__).parents[1] / "studio" / "small.yaml"
SEARCH = "estimate train --model llama-3.1-8b --device H100-SXM-80GB --devices 16 --batch 64 --search --top 3"
SERVE = "estimate serve --model llama-3.1-8b --device H100-SXM-80GB --devices 8 --input 512 --output 128 --rate 3"
QUICK = (
    *(f"catalogue {table}" for table in ABOUT), "check small.yaml", "check small.yaml --resolved", SEARCH, SERVE,
    "validate kernels", "validate memory",
)  # fmt: skip
PLANNED = (
    "plan small.yaml", "plan small.yaml --explain tune", "plan small.yaml --frontier cost,water",
    "plan --compare out/small/plan.json out/small/plan.json", "simulate small.yaml --plan out/small/plan.json",
    "simulate small.yaml --plan out/small/plan.json --window '07-14 12:00/07-14 13:00' --fault 'cdu-1 fails at 12:10'",
    "deploy out/small/plan.json --out deployed", "deploy check deployed",
    "sweep small.yaml --vary 'objective.carbon_price=0,100 USD/t' --jobs 1",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("screen")
    shutil.copy(SMALL, found / "small.yaml")
    return found


def said(words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, columns: int) -> tuple[str, str]:
    """Return standard output and error of a command that must end well, in a terminal of ``columns``."""
    import shlex

    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(cli, shlex.split(words), standalone_mode=False)
    assert done.exception is None or isinstance(done.exception, click.exceptions.Exit), words
    return done.stdout, done.stderr


def judged(words: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for columns in (200, 60):
        out, err = said(words, folder, monkeypatch, columns)
        assert out
        assert err == ""
        assert [line for line in out.splitlines() if len(line) > 100 and " " in line.strip()] == []
        assert "Traceback" not in out


def is_json(words: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = said(f"{words} --json", folder, monkeypatch, 100)
    json.loads(out, parse_constant=lambda word: pytest.fail(f"{words}: {word} is no JSON"))
    assert err == ""


@pytest.mark.parametrize("words", QUICK)
def test_tables_fit_a_hundred_columns(words, folder, monkeypatch):
    judged(words, folder, monkeypatch)


@pytest.mark.parametrize("words", [words for words in QUICK if "resolved" not in words])
def test_json_is_all_that_is_said(words, folder, monkeypatch):
    is_json(words, folder, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("words", PLANNED)
def test_tables_of_plans_fit_a_hundred_columns_and_json_is_alone(words, folder, monkeypatch):
    judged(words, folder, monkeypatch)
    is_json(words, folder, monkeypatch)


def every_command(command: click.Command, parent: click.Context | None = None, name: str = "twinloop"):
    context = click.Context(command, info_name=name, parent=parent)
    yield context
    for inner in command.list_commands(context) if isinstance(command, click.Group) else ():
        yield from every_command(command.get_command(context, inner), context, inner)


@pytest.mark.parametrize("context", list(every_command(cli)), ids=lambda context: context.command_path)
def test_help_has_an_example_fits_the_screen_and_cuts_nothing_off(context):
    text = context.command.get_help(context)
    assert "Example" in text
    assert max(map(len, text.splitlines())) <= 100
    assert [line for line in text.splitlines()[1:] if line.endswith("...")] == []
    # What estimate takes are the field's own words: tensor, pipeline, optimizer.
    for option in context.command.params if "estimate" not in context.command_path else ():
        assert isinstance(option, click.Argument) or option.help or isinstance(option.type, click.Choice), option.name


@pytest.mark.parametrize("name", sorted(deploy.commands))
def test_every_subcommand_of_deploy_shows_an_example(name):
    text = " ".join(CliRunner().invoke(deploy, [name, "--help"]).output.split())
    # Writing is what deploy does without a further word.
    assert ("Examples: twinloop deploy out/" if name == "write" else f"Example: twinloop deploy {name} ") in text


@pytest.mark.parametrize(("word", "meant"), [("pln", "plan"), ("chek", "check"), ("catalog", "catalogue")])
def test_a_verb_misspelt_is_told(word, meant):
    done = CliRunner().invoke(cli, [word, "my.yaml"])
    assert done.exit_code == 2
    assert f"did you mean {meant}?" in done.stderr


def test_another_word_gets_the_list_of_verbs():
    done = CliRunner().invoke(cli, ["frobnicate"])
    assert done.exit_code == 2
    assert all(verb in done.stderr for verb in VERBS)
    assert "did you mean" not in done.stderr


def test_the_shell_completes_verbs_and_options(monkeypatch):
    """As the line that docs/how-to.md tells asks."""
    for words, position, wanted in (("twinloop pl", "1", "plan"), ("twinloop check --res", "2", "--resolved")):
        asked = {"_TWINLOOP_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": position}
        done = CliRunner().invoke(cli, [], prog_name="twinloop", env=asked)
        assert f"plain,{wanted}" in done.stdout
