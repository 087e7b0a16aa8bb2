"""Broken copies of the example: each is accepted, or refused with its place; nothing else happens."""

import random
import re
import time
from pathlib import Path

import pytest

from twinloop.errors import Fault, InputError
from twinloop.scenario import load_text, resolve

EXAMPLE = Path(__file__).parents[2] / "examples" / "fraud-detection.yaml"
LINES = EXAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
WORDS = [
    "NaN", ".nan", ".inf", "-.inf", "-1", "0", "1e400", "9" * 500, "true", "no", "null", "~", "''", "[]",
    "{}", "[1, 2]", "{a: 1}", "12 MWh", "3 MW", "3 mw", "-5 kW", "1e30 MW", "30 ms", "8 %", "900 %",
    "5 years", "USD", "0.1 EUR/kWh", "*x", "&x 1", "!!python/object:os.system x", "!!int 3", "\x00", "\t",
    "Frankfurt", "12,000/s", "2026-01-01", "07:00", "0x1F", "1_000", "'", '"', "|", ">", "- a", "? a",
    "<<: *x", "%YAML 1.1", "---", "...", "\ud7ff", "𝔽", "…", "°C", "@a", "`b`", "{" * 50, "[" * 2000,
    "- " * 200, "a: " * 60, '"\\U0011FFFF"', '"\\x41"', "&a [*a]", "#",
    "１２ MW", "٣ MW", "²", "½ MW", "Ⅻ", "1\u00a0MW", "1\u2009MW", "−3 MW", "1,5 MW", "1e308 MW", "1e-320 MW", "-0 MW",
    "+3 MW", "1e+3", "1.e3", ".5", "5.", "0777", "0b1", "1:30:00", "1e999 %", "nan MW", "inf kW", "-inf", "1/0",
    "{}: {}", "[a: 1]", "null: 1", "&k key", "*k", "!!binary aGk=", "!!set {a}", "!!timestamp 2001-01-01", "[[1]]",
    "\u200b", "\ufeff", "\u2028", "\x85", "\u0130stanbul", "ß", "e\u0301", "\U0001f525", "A" * 5000, "kind: train",
    "true: true", "../../etc", "/dev/zero", "/dev/stdin", "x.epw", ".epw", ".", "..", "http://x/y.epw", "file.onnx",
    "config.json", "${HOME}", "%s%n", "{{x}}", "<<", "=", "\\",
]  # fmt: skip
UNITS = ("MW", "kW", "W", "kWh", "ms", "h", "days", "%", "TB", "GB/day", "/s", "m2", "kPa", "USD", "°C", "K", "")


def _delete(rng, lines):
    del lines[rng.randrange(len(lines))]


def _repeat(rng, lines):
    here = rng.randrange(len(lines))
    lines.insert(rng.randrange(len(lines)), lines[here])


def _rename_key(rng, lines):
    here = rng.choice([i for i, line in enumerate(lines) if ":" in line])
    at = rng.randrange(lines[here].index(":") + 1)
    lines[here] = lines[here][:at] + rng.choice(["x", "", "_", "é", " ", "-"]) + lines[here][at + rng.randrange(2) :]


def _value(rng, lines):
    here = rng.choice([i for i, line in enumerate(lines) if ":" in line])
    lines[here] = lines[here].split(":")[0] + ": " + rng.choice(WORDS) + "\n"


def _unit(rng, lines):
    here = rng.choice([i for i, line in enumerate(lines) if any(char.isdigit() for char in line)])
    parts = lines[here].rstrip("\n").split(" ")
    numbers = [i for i, part in enumerate(parts) if part and part[0].isdigit()]
    if numbers:
        at = rng.choice(numbers)
        parts[at + 1 : at + 2] = [rng.choice(UNITS)]
        lines[here] = " ".join(parts) + "\n"


def _truncate(rng, lines):
    text = "".join(lines)
    lines[:] = text[: rng.randrange(len(text))].splitlines(keepends=True)


def _garbage(rng, lines):
    here = rng.randrange(len(lines))
    at = rng.randrange(len(lines[here]))
    junk = rng.choice(WORDS) if rng.random() < 0.5 else "".join(chr(rng.randrange(1, 0x2FF)) for _ in range(5))
    lines[here] = lines[here][:at] + junk + lines[here][at:]


def _indent(rng, lines):
    here = rng.randrange(len(lines))
    lines[here] = rng.choice(["", " ", "  ", "   ", "\t", "        "]) + lines[here].lstrip(" ")


def _swap(rng, lines):
    a, b = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]


def _swap_values(rng, lines):
    keyed = [i for i, line in enumerate(lines) if ": " in line]
    a, b = rng.choice(keyed), rng.choice(keyed)
    (key_a, _, value_a), (key_b, _, value_b) = lines[a].partition(": "), lines[b].partition(": ")
    lines[a], lines[b] = f"{key_a}: {value_b}", f"{key_b}: {value_a}"


def _duplicate_key(rng, lines):
    here = rng.choice([i for i, line in enumerate(lines) if ":" in line])
    lines.insert(here + 1, lines[here].split(":")[0] + ": " + rng.choice(WORDS) + "\n")


def _anchor(rng, lines):
    keyed = [i for i, line in enumerate(lines) if ": " in line]
    a, b = sorted((rng.choice(keyed), rng.choice(keyed)))
    lines[a] = lines[a].replace(": ", ": &it ", 1)
    if a != b:
        lines[b] = lines[b].split(":")[0] + rng.choice([": *it\n", ": [*it, *it]\n", ": {<<: *it}\n"])


def _ends(rng, lines):
    end = rng.choice(["\r\n", "\r", "\u2028", "\x85", "\n\n", " \n", "\t\n", ""])
    lines[:] = [line.replace("\n", end) if rng.random() < 0.7 else line for line in lines]


def _start(rng, lines):
    begin = rng.choice(["\ufeff", "---\n", "%YAML 1.2\n---\n", "\ufeff\ufeff", "\n" * 50, "#!x\n", "? "])
    lines[0] = begin + lines[0]


def _digits(rng, lines):
    here = rng.choice([i for i, line in enumerate(lines) if any(char.isdigit() for char in line)])
    zero = rng.choice(["\u0660", "\uff10", "\u0966", "\U0001d7ce"])
    lines[here] = "".join(chr(ord(zero) + int(char)) if char in "0123456789" else char for char in lines[here])


def _number(rng, lines):
    here = rng.choice([i for i, line in enumerate(lines) if any(char.isdigit() for char in line)])
    by = rng.choice(["-%s", "%se300", "%se-300", "%s" + "0" * 400, "0", "nan", "%s.5", "1e9"])
    lines[here] = re.sub(r"[0-9]+(?:\.[0-9]+)?", lambda found: by.replace("%s", found[0]), lines[here], count=1)


MUTATIONS = (
    _delete, _repeat, _rename_key, _value, _unit, _truncate, _garbage, _indent, _swap, _swap_values,
    _duplicate_key, _anchor, _ends, _start, _digits, _number,
)  # fmt: skip


def mutant(seed: int) -> str:
    rng = random.Random(seed)
    lines = list(LINES)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if lines:
            rng.choice(MUTATIONS)(rng, lines)
        if not any(":" in line and any(char.isdigit() for char in line) and ": " in line for line in lines):
            break
    return "".join(lines)


def refusal(text: str) -> InputError | None:
    try:
        resolve(load_text(text, EXAMPLE))
    except InputError as error:
        return error
    return None


def outcome(seed: int) -> str:
    text, started = mutant(seed), time.process_time()
    error = refusal(text)
    assert time.process_time() - started < 5.0, f"seed {seed} is slow"
    if error is None:
        return "accepted"
    lines = len(re.split("\r\n|[\r\n\x85\u2028\u2029]", text))
    assert error.faults, f"seed {seed}: refused without a fault"
    for fault in error.faults:
        assert isinstance(fault, Fault), f"seed {seed}: {fault}"
        assert fault.line is not None, f"seed {seed}: {fault}"
        assert 1 <= fault.line <= lines + 1, f"seed {seed}: {fault}"
    return "refused"


def test_the_example_itself_is_accepted():
    resolve(load_text("".join(LINES), EXAMPLE))


@pytest.mark.parametrize("first", [0, 500, 1000, 1500])
def test_2000_mutants_are_accepted_or_refused_with_their_place(first):
    outcomes = [outcome(seed) for seed in range(first, first + 500)]
    # Neither everything nor nothing passes: the mutations bite and the checks let sense through.
    assert 100 < outcomes.count("refused") < 490


@pytest.mark.slow
def test_10_000_mutants():
    assert {outcome(seed) for seed in range(2000, 10_000)} == {"accepted", "refused"}
