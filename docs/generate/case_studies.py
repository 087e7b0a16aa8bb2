"""Plan every example; write what came out into case studies, FAQ and README.md, and each report into a folder.

``python docs/generate/case_studies.py`` writes; ``--check`` only says whether the pages are in step.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # a script's folder, also when another script imports this one

import advice
import costs
from advice import Finding, Rule
from blocks import filled, table

import twinloop
from twinloop.api import PlanResult
from twinloop.scenario.load import load_text

ROOT = Path(__file__).parents[2]
EXAMPLES, PAGE, README = ROOT / "examples", ROOT / "docs" / "case-studies.md", ROOT / "README.md"
FAQ = ROOT / "docs" / "faq.md"
PICTURE = ROOT / "docs" / "pictures" / "heat.svg"
RULES: dict[str, tuple[Rule, ...]] = {
    "fraud-detection": (advice.density, advice.energy, advice.cost, advice.plant_price, advice.pue, advice.own_or_rent),
    "drug-discovery": (advice.own_or_rent, advice.density, advice.plant_price),
    "recommender": (advice.own_or_rent, advice.density, advice.plant_price),
    "llm-factory": (advice.warm_water, advice.density, advice.energy, advice.cost, advice.plant_price, advice.pue),
    "retrofit": (advice.doors, advice.density, advice.energy, advice.cost, advice.pue),
    "edge-stores": (advice.near_the_camera, advice.own_or_rent),
    "desert": (advice.scarce_water, advice.density, advice.energy, advice.cost, advice.pue),
    "tropics": (advice.no_winter, advice.density, advice.energy, advice.cost, advice.pue),
    "heat-reuse": (advice.sold_heat, advice.energy, advice.cost, advice.pue),
}
"""Example -> the advice that its plan can be held against."""
LOSS = "    accuracy_drop: 1.5 %"


def planned(name: str) -> PlanResult:
    """Return the plan of ``examples/NAME.yaml``."""
    result = twinloop.plan(twinloop.load(EXAMPLES / f"{name}.yaml"))
    return PlanResult(result.plan, result.years, f"twinloop plan examples/{name}.yaml")


def findings(name: str, result: PlanResult) -> list[Finding]:
    """Return what the plan confirms or contradicts."""
    found = [rule(result) for rule in RULES[name]]
    if name == "recommender":
        path = EXAMPLES / "recommender.yaml"
        text = path.read_text(encoding="utf-8")
        if LOSS not in text:
            raise ValueError(f"{path}: the line {LOSS.strip()!r} is gone; the comparison without it needs it")
        found.insert(0, advice.compression(result, twinloop.plan(load_text(text.replace(LOSS, "    # exact"), path))))
    return found


def overview(results: dict[str, PlanResult]) -> str:
    """Return one row a case."""
    rows = []
    for name, result in results.items():
        t, u = result.totals, result.plan.uncertainty
        cooling = "; ".join(s.cooling.name for s in result.plan.sites if s.cooling) or "no hall of its own"
        rivals = [b for b in result.plan.baselines if b.feasible and b.saving is not None]
        best = min(rivals, key=lambda b: b.saving or 0.0, default=None)
        carbon = sum(t.carbon_t_per_year.values())
        beside = f"{best.saving:+.1%} to {best.name}" if best else "none fits"
        rows.append((
            f"[{name}](#{name})", cooling, f"{t.tco_usd / 1e6:.2f}", f"{t.facility_energy_mwh_per_year:,.0f}",
            f"{t.pue:.3f}" if t.pue else "—", f"{t.water_m3_per_year:,.0f}", f"{carbon:,.0f}",
            beside, f"{u.probability_best:.0%}" if u else "—",
        ))  # fmt: skip
    head = ("case", "cooling", "#cost, M USD", "#MWh/a", "#PUE", "#water, m³/a", "#t CO2e/a", "saving", "#stays best")
    return table(head, rows)


def case(name: str, result: PlanResult) -> str:
    """Return a case's answer and its table of advice."""
    rows = [(f.advice, f.source, f.seen, f"**{f.verdict}**") for f in findings(name, result)]
    download = f"{{download}}`report <../out/case-studies/{name}.html>`"
    said = f"*{result.summary}*\n\n`twinloop plan examples/{name}.yaml` · {download}"
    return f"{said}\n\n{table(('common advice', 'where it is said', 'seen here', 'verdict'), rows)}"


def readme(result: PlanResult) -> str:
    """Return the table of README.md."""
    named = [("**recommended**", result.totals, ", ".join(s.cooling.name for s in result.plan.sites if s.cooling))]
    for b in result.plan.baselines:
        if b.totals:
            fits = "" if b.feasible else " (does not fit)"
            words = "" if b.name == "all cloud" and b.feasible else b.note.split(";")[0]  # a place a stage: too long
            named.append((f"{b.name}{fits}", b.totals, words))
    rows = [
        (name, words, f"{t.tco_usd / 1e6:.1f}", f"{t.facility_energy_mwh_per_year / 1e3:.2f}",
         f"{t.pue:.3f}" if t.pue else "—", f"{t.water_m3_per_year:,.0f}")
        for name, t, words in named
    ]  # fmt: skip
    return table(
        ("plan", "how", "#cost of ownership, M USD", "#facility energy, GWh/a", "#PUE", "#site water, m³/a"), rows
    )


def pages(results: dict[str, PlanResult]) -> dict[Path, str]:
    """Return the text of each page with its blocks filled."""
    page = filled(PAGE.read_text(encoding="utf-8"), "overview", overview(results))
    for name, result in results.items():
        page = filled(page, name, case(name, result))
    front = filled(README.read_text(encoding="utf-8"), "results", readme(results["fraud-detection"]))
    asked = filled(FAQ.read_text(encoding="utf-8"), "costs", costs.first_and_later(results))
    picture = results["fraud-detection"].plot("frankfurt-heat").svg()
    return {PAGE: page, README: front, FAQ: asked, PICTURE: picture}


def in_step(path: Path, text: str) -> bool:
    """Say whether the file at ``path`` holds ``text``."""
    return path.exists() and path.read_text(encoding="utf-8") == text


def main() -> int:
    """Write or check the pages; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where a page is out of step")
    parser.add_argument("--reports", type=Path, default=ROOT / "out" / "case-studies", help="folder for the reports")
    options = parser.parse_args()
    results = {}
    options.reports.mkdir(parents=True, exist_ok=True)
    for name in RULES:
        print(f"planning {name}", file=sys.stderr)
        results[name] = planned(name)
        (options.reports / f"{name}.html").write_text(results[name].report(), encoding="utf-8")
    stale = {path: text for path, text in pages(results).items() if not in_step(path, text)}
    for path, text in stale.items():
        print(f"{'out of step' if options.check else 'written'}: {path.relative_to(ROOT)}")
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
