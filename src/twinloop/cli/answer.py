"""An answer of ``estimate`` on the screen, as JSON, and as a file."""

from __future__ import annotations

from typing import Any

import click

LEFT_OVER = 0.01
"""Share by which what was asked may be missed: rates below capacity are reached to this."""


def show(given: dict[str, Any], answer: dict[str, Any], title: str) -> tuple[str, dict[str, Any]]:
    """Print ``answer`` as the flags ask, write it where ``--out`` says, and return it below its title."""
    import json

    text = json.dumps(answer, indent=1, allow_nan=False)
    if given["out"] is not None:
        from twinloop.cli.write import check_folder

        check_folder(given["out"])
        given["out"].mkdir(parents=True, exist_ok=True)
        (given["out"] / "estimate.json").write_text(text + "\n", encoding="utf-8")
    if given["as_json"]:
        click.echo(text)
    elif not given["quiet"]:
        _table(answer, title, verbose=given["verbose"])
    return title, answer


def with_reason(answer: dict[str, Any], room_b: float, heads: int, devices: int) -> dict[str, Any]:
    """Return ``answer``, with why it does not fit where it does not: the largest share, and what stands in the way.

    Args:
        answer: an estimate.
        room_b: memory of one device.
        heads: of the model; 0: it has none to split.
        devices: of the whole job.
    """
    if answer["fits"]:
        return answer
    held, layout = answer.get("memory_breakdown_gb", {}), answer.get("layout", {})
    reason = f"needs {answer['memory_per_device_gb']:.4g} GB of {room_b / 1e9:.4g} GB on each device"
    if held:
        most = max(held, key=lambda name: held[name])
        reason += f", most for {most} ({held[most]:.4g} GB)"
    if heads and devices > 1 and not any(heads % n == 0 == devices % n for n in range(2, devices + 1)):
        reason += f"; {devices} devices and {heads} heads have no common divisor: no device holds a part of the layers"
    if layout.get("data") and layout["batch"] % layout["data"]:
        reason += f"; {layout['data']} copies do not share a batch of {layout['batch']} evenly"
    return {**answer, "why_not": reason}


def with_missed(answer: dict[str, Any], asked: dict[str, float | None]) -> dict[str, Any]:
    """Return ``answer``, with what it misses of what was ``asked``: times at most, the rate at least.

    >>> with_missed({"tpot_s": 0.02, "samples_per_s": 27.5}, {"tpot_s": 0.01, "ttft_s": None, "samples_per_s": 100.0})
    {'tpot_s': 0.02, 'samples_per_s': 27.5, 'missed': 'tpot_s 0.02 of 0.01, samples_per_s 27.5 of 100'}
    >>> with_missed({"tpot_s": 0.02}, {"tpot_s": 0.02})
    {'tpot_s': 0.02}
    """
    missed = []
    for name, wanted in asked.items():
        reached = answer.get(name)
        if wanted is None or reached is None:
            continue
        short = (
            reached < (1.0 - LEFT_OVER) * wanted if name == "samples_per_s" else reached > (1.0 + LEFT_OVER) * wanted
        )
        if short:
            missed.append(f"{name} {reached:.4g} of {wanted:.4g}")
    return {**answer, "missed": ", ".join(missed)} if missed else answer


def _table(answer: dict[str, Any], title: str, *, verbose: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=100, highlight=False)
    console.print(f"\n[bold]{title}[/bold]: {headline(answer)}\n")
    table = Table(box=None, pad_edge=False)
    table.add_column("quantity")
    table.add_column("value", justify="right")
    table.add_column("parts")
    for key, value in answer.items():
        if key in {"why_not", "missed"}:
            continue
        if key == "constants" and not verbose:
            table.add_row("constants", str(value.get("software", "")), "-v shows them")
        elif isinstance(value, dict):
            table.add_row(key, "", ", ".join(f"{name} {_short(part)}" for name, part in value.items()))
        elif isinstance(value, list):
            for place, each in enumerate(value[:10], 1):
                table.add_row(f"{key} {place}", "", ", ".join(f"{name} {_short(part)}" for name, part in each.items()))
        else:
            table.add_row(key, _short(value), "")
    console.print(table)
    if not answer["fits"]:
        console.print(f"[bold red]does not fit in memory[/bold red]: {answer['why_not']}")
    if "missed" in answer:
        console.print(f"[bold red]misses what was asked[/bold red]: {answer['missed']}")
    if answer["extrapolated"]:
        console.print(
            "[yellow]no measured row for this device under this software: class defaults, wide interval[/yellow]"
        )


def headline(answer: dict[str, Any]) -> str:
    """Return the answer in a line: how fast, how much memory and power, and how well it is known.

    >>> headline({"step_time_s": 26.01, "tokens_per_s": 80630.0, "mfu": 0.613, "memory_per_device_gb": 85.0,
    ...           "fits": True, "power_w": {"node_ac": 7562.0}})
    '26.0 s a step, 80,600 tokens/s, MFU 61 %; 85.0 GB a device, fits; 7.56 kW a server'
    """
    rate = answer.get("tokens_per_s", answer.get("throughput_tokens_per_s"))
    told, unit = (rate, "tokens/s") if rate else (answer.get("samples_per_s"), "samples/s")
    work = [f"{_three(answer['step_time_s'])} s a step"] if answer.get("step_time_s") else []
    work += [f"{_three(told)} {unit}"] if told else []
    work += [f"MFU {answer['mfu']:.0%}".replace("%", " %")] if answer.get("mfu") else []
    work += [f"p99 {_three(answer['latency_p99_s'])} s"] if answer.get("latency_p99_s") else []
    parts = [", ".join(work)] if work else []
    if answer.get("memory_per_device_gb") is not None:
        parts.append(
            f"{_three(answer['memory_per_device_gb'])} GB a device, {'fits' if answer['fits'] else 'too much'}"
        )
    node_w = answer.get("power_w", {}).get("node_ac")
    parts += [f"{_three(node_w / 1e3)} kW a server"] if node_w else []
    return "; ".join(parts)


def _three(value: float) -> str:
    """Return three significant digits, without an exponent."""
    rounded = float(f"{value:.2e}")
    size = abs(rounded)
    return f"{rounded:,.{0 if size >= 100.0 else 1 if size >= 10.0 else 2 if size >= 1.0 else 4}f}"


def _short(value: Any) -> str:
    if value is None:
        return "—"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
