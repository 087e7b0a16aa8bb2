"""What a plan and a folder must be before anything is written."""

import json

import pytest

from twinloop.cli.folder import WRITTEN, write_folder
from twinloop.cli.read import read_plan
from twinloop.deploy.intent import deployment_of
from twinloop.errors import InputError
from twinloop.model.codec import dumps


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_foreign_file_is_never_written_over(tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(InputError, match=r"README.md: it was not written by `twinloop deploy`"):
        write_folder(tmp_path, {"README.md": "yours", "a/b": "c"})
    assert files_in(tmp_path) == {"README.md"}
    assert (tmp_path / "README.md").read_text() == "mine"


def test_a_file_that_was_edited_since_stays(tmp_path):
    write_folder(tmp_path, {"nodes.csv": "as planned", "old/x": "1", "b": "2"})
    (tmp_path / "nodes.csv").write_text("as it is")
    (tmp_path / "old" / "x").write_text("edited")
    with pytest.raises(InputError) as told:
        write_folder(tmp_path, {"nodes.csv": "as planned anew", "b": "3"})
    assert str(told.value).count("it was changed since") == 2
    assert (tmp_path / "b").read_text() == "2"


def test_what_is_left_of_ours_goes_and_what_is_not_ours_stays(tmp_path):
    write_folder(tmp_path, {"sites/hall/a.yaml": "1", "b": "2"})
    (tmp_path / "sites" / "note.txt").write_text("mine")
    assert write_folder(tmp_path, {"b": "3", "slurm/c": "4"}) == ["sites/hall/a.yaml"]
    assert files_in(tmp_path) == {"b", "slurm/c", "sites/note.txt", WRITTEN}
    assert write_folder(tmp_path, {"b": "3", "slurm/c": "4"}) == []
    assert not (tmp_path / "sites" / "hall").exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"../up": "0"}', '{"/etc/x": "0"}'])
def test_a_mark_that_is_none_of_ours_is_refused(tmp_path, text):
    (tmp_path / WRITTEN).write_text(text)
    with pytest.raises(InputError, match="got no list of files"):
        write_folder(tmp_path, {"b": "3"})


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "else").write_text("mine")
    (tmp_path / "b").symlink_to(tmp_path / "else")
    with pytest.raises(InputError, match="got a link"):
        write_folder(tmp_path, {"b": "mine"})


def test_a_plan_of_another_schema_is_refused(make, tmp_path):
    path = tmp_path / "plan.json"
    data = json.loads(dumps(make()))
    path.write_text(json.dumps({**data, "schema": 99}))
    with pytest.raises(InputError, match=r"plan.json: schema: got 99, expected 1"):
        read_plan(path)
    path.write_text(json.dumps(data))
    assert read_plan(path) == make()


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_plan_with_a_stage_taken_out_is_refused(make, changed, gone):
    plan = make()
    stages = tuple(each for number, each in enumerate(plan.stages) if number != gone)
    with pytest.raises(InputError, match=f"got none called '{plan.stages[gone].name}'.*provenance"):
        deployment_of(changed(plan, stages=stages), "")
    silent = tuple(row for row in plan.provenance if not row.path.startswith(f"stages.{plan.stages[gone].name}."))
    with pytest.raises(InputError, match="racks of hall hold its servers"):
        deployment_of(changed(plan, stages=stages, provenance=silent), "")
