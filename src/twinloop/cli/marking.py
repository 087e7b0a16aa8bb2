"""``twinloop deploy mark``: readings of nodes to marks on a cluster, once; live operation calls the same functions."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click

COLUMNS = ("node", "headroom_c", "forecast_peak_c", "age_s")


def mark_command(connected: Callable[[Path | None, str | None], AbstractContextManager[Any]]) -> click.Command:
    """Return the command; ``connected`` opens a cluster."""

    @click.command(
        "mark",
        short_help="Taint and annotate nodes by their temperatures.",
        epilog="Example: twinloop deploy mark readings.csv --dry-run",
    )
    @click.argument("readings", type=click.Path(path_type=Path), required=False)
    @click.option("--clear", is_flag=True, help="Take all our marks and caps away instead.")
    @click.option("--labels", "nodes", type=click.Path(path_type=Path), default=None,
                  help="A site's nodes.csv: label each node with its place and cooling.")  # fmt: skip
    @click.option("--devices", type=click.Path(path_type=Path), default=None,
                  help="A CSV of driver, pool, device, headroom_c, age_s: taint hot devices alone.")  # fmt: skip
    @click.option("--kubernetes", "minor", type=click.IntRange(30, 37), default=37, show_default=True,
                  help="With --devices: minor version of the cluster's Kubernetes 1.x.")  # fmt: skip
    @click.option("--access", is_flag=True, help="Print the role that this needs, as YAML, and do nothing.")
    @click.option("--namespace", default="default", show_default=True, help="Where capped autoscalers are.")
    @click.option("--for", "lifetime_s", type=click.FloatRange(60.0), default=600.0, show_default=True,
                  help="Seconds until a mark ends by itself.")  # fmt: skip
    @click.option("--context", default=None, help="Context of the kubeconfig; default: the current one.")
    @click.option("--kubeconfig", type=click.Path(path_type=Path), default=None,
                  help="Default: $KUBECONFIG, ~/.kube/config, else the pod's own account.")  # fmt: skip
    @click.option("--dry-run", is_flag=True, help="Rehearse on the server; change nothing.")
    @click.option("--yes", is_flag=True, help="Mark.")
    @click.option("--json", "as_json", is_flag=True, help="Print the events as JSON and nothing else.")
    def mark(
        readings: Path | None, clear: bool, nodes: Path | None, devices: Path | None, minor: int, access: bool,
        namespace: str, lifetime_s: float, context: str | None, kubeconfig: Path | None, dry_run: bool, yes: bool,
        as_json: bool,
    ) -> int:  # fmt: skip
        """Taint, annotate and report nodes by READINGS, a CSV of node, headroom_c, forecast_peak_c, age_s."""
        from twinloop.deploy import hooks
        from twinloop.deploy.yaml_text import dump
        from twinloop.errors import InputError

        if access:
            click.echo(dump(*hooks.access("twinloop-live")), nl=False)
            return 0
        if dry_run == yes:
            raise InputError("mark: got neither or both of --dry-run and --yes, expected one")
        if sum((readings is not None, clear, nodes is not None, devices is not None)) != 1:
            raise InputError("mark: got none or several of READINGS, --clear, --labels and --devices, expected one")
        events = _events(connected(kubeconfig, context), readings, nodes, devices, clear, namespace, minor, lifetime_s,
                         dry_run)  # fmt: skip
        rows = [{"object": str(e.target), "did": e.did, "before": e.before, "after": e.after, "why": e.why}
                for e in events]  # fmt: skip
        if as_json:
            click.echo(json.dumps({"dry_run": dry_run, "events": rows}))
        else:
            for row in rows:
                click.echo("  ".join(str(part) for part in row.values() if part))
            click.echo(f"{len(rows)} events{', rehearsed: nothing was written' if dry_run else ''}")
        return 1 if any(e.did == "refused" for e in events) else 0

    return mark


def _events(
    opened: AbstractContextManager[Any], readings: Path | None, nodes: Path | None, devices: Path | None,
    clear: bool, namespace: str, minor: int, lifetime_s: float, dry_run: bool,
) -> list[Any]:  # fmt: skip
    """Do on the cluster what was asked for and return what was done; marks that have ended are taken away, too.

    Files are read before the cluster is opened: a fault in one changes nothing.
    """
    from datetime import UTC, datetime

    from twinloop.deploy import hooks
    from twinloop.deploy.devices import clear_devices, taint_devices
    from twinloop.deploy.kube import KubeCluster
    from twinloop.deploy.marks import Budget, Thresholds

    found = [] if readings is None else read_readings(readings)
    placed = None if nodes is None else read_nodes(nodes)
    hot = [] if devices is None else read_devices(devices)
    now = datetime.now(UTC)
    bounds: dict[str, Any] = {"now": now, "limits": Thresholds(), "budget": Budget(), "lifetime_s": lifetime_s}
    with opened as client:
        cluster = KubeCluster(client)
        if placed is not None:
            return list(hooks.label(cluster, placed, dry_run=dry_run))
        ours = {"app.kubernetes.io/managed-by": "twinloop"}
        events = hooks.clear(cluster, namespace, ours, now=now, everything=clear, dry_run=dry_run)
        events += clear_devices(cluster, now=now, everything=clear, dry_run=dry_run)
        if found:
            events += hooks.mark(cluster, found, **bounds, dry_run=dry_run)
        if hot:
            events += taint_devices(cluster, hot, minor=minor, **bounds, dry_run=dry_run)
        return list(events)


def read_readings(path: Path) -> list[Any]:
    """Return the readings of nodes in a CSV file.

    Raises:
        InputError: a column is missing or a cell is no number, by line.
    """
    from twinloop.deploy.marks import Reading

    return [Reading(node, "", "", *numbers) for (node,), numbers in _table(path, COLUMNS, 1)]


DEVICE_COLUMNS = ("driver", "pool", "device", "headroom_c", "age_s")


def read_devices(path: Path) -> list[Any]:
    """Return the readings of devices in a CSV file.

    Raises:
        InputError: a column is missing or a cell is no number, by line.
    """
    from twinloop.deploy.devices import DeviceReading

    rows = _table(path, DEVICE_COLUMNS, 3)
    return [DeviceReading(driver, pool, device, *numbers) for (driver, pool, device), numbers in rows]


def _table(path: Path, columns: tuple[str, ...], named: int) -> list[tuple[list[str], list[float]]]:
    """Return (names, numbers) of each row; the first ``named`` columns are names."""
    from twinloop.errors import InputError

    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    made, faults = [], []
    for line, row in enumerate(rows, 2):
        try:
            names, numbers = [row[each] for each in columns[:named]], [float(row[each]) for each in columns[named:]]
        except (KeyError, TypeError, ValueError):
            names, numbers = [], []
        if not names or not all(names):
            wanted = f"the columns {', '.join(columns)}, numbers after {columns[named - 1]}"
            faults.append(f"{path}:{line}: got {dict(row)}, expected {wanted}")
        made.append((names, numbers))
    if faults or not made:
        raise InputError(tuple(faults) or f"{path}: got no reading, expected a CSV of {', '.join(columns)}")
    return made


def read_nodes(path: Path) -> dict[str, dict[str, str]]:
    """Return node -> labels of a site's ``nodes.csv``: the node's name, then ``key=value`` each; only keys of ours.

    Raises:
        InputError: a cell is no such label, by line.
    """
    from twinloop.deploy.names import DOMAIN
    from twinloop.errors import InputError

    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    made: dict[str, dict[str, str]] = {}
    faults = []
    for number, line in enumerate(lines, 1):
        name, *cells = line.split(",")
        pairs = [cell.split("=") for cell in cells]
        if not name or not pairs or any(len(p) != 2 or not p[0].startswith(f"{DOMAIN}/") for p in pairs):
            faults.append(
                f"{path}:{number}: got {line!r}, expected a node's name and {DOMAIN}/KEY=VALUE, commas between"
            )
            continue
        made[name] = dict(pairs)
    if faults or not made:
        raise InputError(tuple(faults) or f"{path}: got no node, expected a site's nodes.csv")
    return made
