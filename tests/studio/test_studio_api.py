"""The page's server, asked over the network as a browser asks, and as what must not be let in."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SMALL = Path(__file__).with_name("small.yaml").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def finished(studio):
    """The number of a finished plan."""
    ident = studio.ask("POST", "/api/plans", {"text": SMALL})["id"]
    return until(studio, ident, "planned")["id"]


def until(studio, ident: int, *states: str) -> dict:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        (found,) = [plan for plan in studio.ask("GET", "/api/plans") if plan["id"] == ident]
        if found["state"] in states:
            return found
        assert found["state"] == "running", found
        time.sleep(0.1)
    raise AssertionError(found)


def test_the_page_and_what_it_needs_come_from_here_alone(studio):
    status, headers, page = studio.send("GET", "/")
    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "http" not in page.replace("http-equiv", "")
    for name in ("studio.css", "studio.js", "editor.js"):
        status, headers, text = studio.send("GET", f"/assets/{name}")
        assert status == 200
        assert "//" not in text.replace("// ", "").replace("https:", "x//") or name.endswith("js")
    assert studio.send("GET", "/assets/../server.py")[0] == 404
    assert studio.send("GET", "/assets/server.py")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/", {"Cookie": ""}),
        ("GET", "/?token=guess", {"Cookie": ""}),
        ("GET", "/api/scenario", {"Cookie": "twinloop-studio=guess"}),
        ("GET", "/api/scenario", {"Host": "evil.example:80"}),
        ("GET", "/api/scenario", {"Origin": "http://evil.example"}),
        ("GET", "/api/scenario", {"Sec_Fetch_Site": "cross-site"}),
        ("GET", "/api/scenario", {"Sec_Fetch_Site": "same-site"}),
        ("POST", "/api/check", {"Origin": "http://evil.example"}),
        ("POST", "/api/check", {"Origin": "null"}),
        ("POST", "/api/check", {"Origin": ""}),
        ("DELETE", "/api/plans/1", {"Origin": "http://127.0.0.1:1"}),
    ],
)
def test_strangers_are_refused(studio, method, path, headers):
    body = {"text": "x"} if method == "POST" else None
    status, _, text = studio.send(method, path, body, **headers)
    assert status == 403, text
    assert text.startswith("twinloop studio: ")


def test_a_form_of_another_site_cannot_plan(studio):
    """What a page can send without asking first: a form, as plain text."""
    before = len(studio.ask("GET", "/api/plans"))
    status, _, _ = studio.send("POST", "/api/plans", None, Content_Type="text/plain", Origin="http://evil.example")
    assert status == 403
    assert len(studio.ask("GET", "/api/plans")) == before


def test_faults_come_by_line_as_the_loader_gives_them(studio):
    broken = SMALL.replace("200 kW", "200 kWh").replace("climate:", "climat:")
    found = studio.ask("POST", "/api/check", {"text": broken})
    assert not found["ok"]
    lines = broken.splitlines()
    told = [(lines[fault["line"] - 1].strip(), fault["short"]) for fault in found["faults"]]
    assert told == [("climat: London", "did you mean climate?"), ("utility_power: 200 kWh", "did you mean 200 kW?")]
    assert "got '200 kWh', expected a power" in found["faults"][-1]["message"]
    good = studio.ask("POST", "/api/check", {"text": SMALL})
    assert (good["ok"], good["name"], good["faults"]) == (True, "small", [])
    assert studio.ask("POST", "/api/check", {"text": "a: [1"})["faults"][0]["line"]


def test_a_plan_is_made_watched_and_its_files_are_those_of_the_command(studio, finished):
    (found,) = [plan for plan in studio.ask("GET", "/api/plans") if plan["id"] == finished]
    assert found["message"].startswith("Build 16 × H100-SXM-80GB for tune at hall")
    steps = [step for step, _ in found["steps"]]
    assert steps[0] == "workload options"
    assert steps[-1] == "writing the report"
    assert [at for _, at in found["steps"]] == sorted(at for _, at in found["steps"])
    status, headers, report = studio.send("GET", f"/plans/{finished}/report")
    assert status == 200
    assert "sandbox" in headers["content-security-policy"]
    assert report.startswith("<!doctype html>")
    status, headers, text = studio.send("GET", f"/plans/{finished}/plan.json")
    assert json.loads(text)["scenario"] == "small"
    assert "attachment" in headers["content-disposition"]
    assert studio.send("GET", f"/plans/{finished}/scenario.yaml")[2] == SMALL
    for path in (f"/plans/{finished}/log.txt", f"/plans/{finished}/..%2Fsmall.yaml", "/plans/99/report"):
        assert studio.send("GET", path)[0] in (404, 409)


def test_levers_move_the_answer(studio, finished):
    plain = studio.ask("POST", f"/api/plans/{finished}/ask", {"moved": {}})
    assert plain["kept"]["tco_usd"] == plain["plan"]["tco_usd"]
    moved = studio.ask("POST", f"/api/plans/{finished}/ask", {"moved": {"carbon": 500.0, "warm_supply@hall": 24.0}})
    assert moved["kept"]["tco_usd"] > plain["kept"]["tco_usd"]
    assert moved["kept"]["pue"] != plain["kept"]["pue"]
    assert 0.0 < moved["seconds"] < 30.0
    status, _, text = studio.send("POST", f"/api/plans/{finished}/ask", {"moved": {"carbon": "much"}})
    assert status == 422, text


def test_a_lever_writes_its_key(studio):
    body = {"text": SMALL, "path": ["objective", "carbon_price"], "value": "120 USD/t"}
    changed = studio.ask("POST", "/api/set", body)["text"]
    assert changed == SMALL.replace("80 USD/t", "120 USD/t")
    status, _, text = studio.send("POST", "/api/set", {**body, "path": ["sites", 7, "x", "y"]})
    assert (status, "sites.7" in text) == (422, True)


@pytest.mark.slow
def test_plans_stand_side_by_side_with_the_cause(studio, finished):
    other = studio.ask("POST", "/api/plans", {"text": SMALL.replace("80 USD/t", "400 USD/t")})["id"]
    until(studio, other, "planned")
    found = studio.ask("GET", f"/api/compare?ids={finished},{other}")
    assert found["names"] == [f"{finished} small", f"{other} small"]
    causes = {row["name"]: [cell["value"] for cell in row["cells"]] for row in found["inputs"]}
    assert causes == {"objective.carbon_price": ["80 USD/t", "400 USD/t"]}
    (cost,) = [row for row in found["figures"] if row["name"] == "cost of ownership"]
    assert cost["differs"]
    assert cost["cells"][1]["change"].startswith("+")
    studio.ask("DELETE", f"/api/plans/{other}")
    assert other not in [plan["id"] for plan in studio.ask("GET", "/api/plans")]


@pytest.mark.slow
def test_a_running_plan_is_cancelled_and_a_third_at_once_refused(studio):
    slow = (ROOT / "examples" / "fraud-detection.yaml").read_text(encoding="utf-8")
    first, second = (studio.ask("POST", "/api/plans", {"text": slow})["id"] for _ in range(2))
    status, _, text = studio.send("POST", "/api/plans", {"text": slow})
    assert (status, "plans are running" in text) == (409, True)
    for ident in (first, second):
        studio.ask("DELETE", f"/api/plans/{ident}")
    states = {plan["id"]: plan for plan in studio.ask("GET", "/api/plans")}
    assert states[first]["state"] == states[second]["state"] == "cancelled"
    assert not states[first]["asks"]
    assert studio.send("POST", f"/api/plans/{first}/ask", {"moved": {}})[0] == 409
    for ident in (first, second):
        studio.ask("DELETE", f"/api/plans/{ident}")


@pytest.mark.slow
def test_a_clash_is_told_not_hidden(studio):
    ident = studio.ask("POST", "/api/plans", {"text": SMALL.replace("200 kW", "1 kW")})["id"]
    found = until(studio, ident, "infeasible")
    assert "utility power of hall" in found["message"]
    studio.ask("DELETE", f"/api/plans/{ident}")


def test_a_faulty_scenario_is_not_planned(studio):
    status, _, text = studio.send("POST", "/api/plans", {"text": "twinloop: 1\n"})
    assert (status, "faults" in text) == (409, True)


def test_saving_respects_another_hand(studio, tmp_path):
    file = Path(studio.ask("GET", "/api/scenario")["file"])
    studio.ask("POST", "/api/save", {"text": SMALL + "# mine\n"})
    assert file.read_text(encoding="utf-8") == SMALL + "# mine\n"
    file.write_text(SMALL + "# theirs\n", encoding="utf-8")
    status, _, text = studio.send("POST", "/api/save", {"text": SMALL})
    assert (status, "another hand" in text) == (409, True)
    assert file.read_text(encoding="utf-8") == SMALL + "# theirs\n"


def processes_about(folder: Path) -> list[Path]:
    """Return the processes with ``folder`` on their command line."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(folder).encode() in each.read_bytes():
                found.append(each)
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc: children were NOT counted")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_ended_page_leaves_no_file_and_no_child(tmp_path, how):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "twinloop", "studio", "--port", str(port)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1", "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    query = re.search(r"\?token=\S+", process.stdout.readline())[0]
    origin = f"http://127.0.0.1:{port}"
    opened = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    opened.request("GET", "/" + query)
    answer = opened.getresponse()
    answer.read()
    cookie = answer.getheader("Set-Cookie").partition(";")[0]
    headers = {"Cookie": cookie, "Origin": origin, "Content-Type": "application/json"}
    opened.request("POST", "/api/plans", json.dumps({"text": SMALL}), headers)
    assert json.loads(opened.getresponse().read())["id"] == 1
    (folder,) = tmp_path.iterdir()
    assert processes_about(folder)
    process.send_signal(how)
    assert process.wait(20) == 0
    opened.close()
    process.stdout.close()
    assert not folder.exists()
    assert not processes_about(folder)


def run(*arguments: str, prelude: str = "") -> subprocess.CompletedProcess[str]:
    code = f"{prelude}\nfrom twinloop.cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip


@pytest.mark.slow
def test_a_taken_port_and_a_missing_extra_and_a_missing_file_are_told(studio):
    taken = run("studio", "--port", str(studio.port))
    assert (taken.returncode, "--port" in taken.stderr) == (2, True)
    hide = "import importlib.util as u; f = u.find_spec; u.find_spec = lambda n: None if n == 'uvicorn' else f(n)"
    missing = run("studio", prelude=hide)
    assert (missing.returncode, "pip install 'twinloop[serve]'" in missing.stderr) == (2, True)
    nowhere = run("studio", "nowhere.yaml")
    assert (nowhere.returncode, "nowhere.yaml" in nowhere.stderr) == (2, True)
    for done in (taken, missing, nowhere):
        assert "Traceback" not in done.stderr
