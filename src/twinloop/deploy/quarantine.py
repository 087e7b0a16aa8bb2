"""Who else has a node in hand: a cordon, or NVIDIA NVSentinel's quarantine.

NVSentinel labels every node that it merely watches (driver, DCGM version), so its name in a key says nothing; only
the marks of a quarantine do.

Source: NVSentinel's integration guide and the constants of its fault-quarantine and state-manager modules (2025-26,
https://github.com/NVIDIA/NVSentinel): label ``dgxc.nvidia.com/nvsentinel-state`` from quarantine to remediation (in
drafts ``nvsentinel.dgxc.nvidia.com/quarantine-status``), annotations ``quarantineHealthEvent…``; taints are the
operator's choice, in its examples ``nvidia.com/…-error`` and ``….health/…``; conditions ``Gpu…``, ``SysLogs…``,
``NVSwitch…`` are true for fatal faults.
"""

from __future__ import annotations

import re
from typing import Any

Document = dict[str, Any]
LABEL = re.compile(r"(.*[./])?(nvsentinel-state|quarantine-status)")
NOTE = re.compile(r"(.*/)?quarantine(Validation)?HealthEvent.*")
TAINT = re.compile(r"nvidia\.com/.*-error|[a-z]+\.health/.*|.*nvsentinel.*", re.IGNORECASE)
CONDITION = re.compile(r"(Gpu|SysLogs|NVSwitch).*")
OURS_TO_JUDGE = ("GpuThermalWatch", "GpuPowerWatch")
"""Conditions on heat and power: what the plant's forecast speaks of, no reason to look away."""


def in_other_hands(node: Document) -> str | None:
    """Return the mark by which somebody else handles ``node``, ``None`` where nobody does.

    >>> in_other_hands({"metadata": {"labels": {"nvsentinel.dgxc.nvidia.com/driver.installed": "true"}}})
    >>> in_other_hands({"metadata": {"labels": {"dgxc.nvidia.com/nvsentinel-state": "draining"}}})
    'dgxc.nvidia.com/nvsentinel-state'
    """
    meta, spec, status = (node.get(part) or {} for part in ("metadata", "spec", "status"))
    marks = [each for each in meta.get("labels") or {} if LABEL.fullmatch(each)]
    marks += [each for each in meta.get("annotations") or {} if NOTE.fullmatch(each)]
    marks += [str(each["key"]) for each in spec.get("taints") or [] if TAINT.fullmatch(str(each.get("key")))]
    marks += [
        str(each["type"]) for each in status.get("conditions") or []
        if each.get("status") == "True" and CONDITION.fullmatch(str(each.get("type")))
        and each["type"] not in OURS_TO_JUDGE
    ]  # fmt: skip
    return marks[0] if marks else "unschedulable" if spec.get("unschedulable") else None
