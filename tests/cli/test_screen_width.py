"""Tables fit 100 columns, and every sub-command of deploy shows an example."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from twinloop.cli.deploy import command as deploy
from twinloop.cli.main import cli

SEARCH = "estimate train --model llama-3.1-8b --device H100-SXM-80GB --devices 16 --batch 64 --search --top 3"


@pytest.mark.parametrize("words", ["validate kernels", SEARCH])
def test_tables_fit_a_hundred_columns(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    out = CliRunner().invoke(cli, words.split()).stdout
    assert out
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("name", sorted(deploy.commands))
def test_every_subcommand_of_deploy_shows_an_example(name):
    text = " ".join(CliRunner().invoke(deploy, [name, "--help"]).output.split())
    # Writing is what deploy does without a further word.
    assert ("Examples: twinloop deploy out/" if name == "write" else f"Example: twinloop deploy {name} ") in text
