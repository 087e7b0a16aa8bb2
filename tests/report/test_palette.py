"""The palette for eyes that see fewer colours: what one figure sets side by side is told apart by them, too."""

from __future__ import annotations

import itertools
import re
from importlib.resources import files

import numpy as np
import pytest

from twinloop.report.figures import breakdown, heatmap, layout, monthly, rack, sankey, spending, timeline

LEAST = 10.0
"""CIE 1976 difference; about two is just seen by a trained eye at equal size and good light."""
EYES = {
    "all colours": np.eye(3),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
}  # fmt: skip
"""Linear RGB seen; severity 1, Machado, Oliveira and Fernandes (2009), doi:10.1109/TVCG.2009.113, table 1."""
TOGETHER = {
    "where the time goes": set(breakdown.CAUSES.values()),
    "memory": set(layout.HOLDS.values()),
    "energy by month": {colour for _, _, colour in monthly.USES},
    "rack": {*rack.PATHS.values(), "grey"},
    "heat flows": {sankey._colour(name) for name in ("pumps", "servers", "hall air", "warm loop", "cold loop",
                                                     "heat sold", "accelerator")},
    "spending": {"liquid", *(look.removeprefix("k-").split()[0] for look in spending.LOOKS)},
    "what moves the cost": {"green", "heat"},
    **{f"timeline, {name}": {colour for *_, colour in curves} for name, _, _, curves in timeline.PANELS},
}  # fmt: skip


def palettes():
    css = files("twinloop.report").joinpath("templates/figure.css").read_text(encoding="utf-8")
    light, *dark = (dict(re.findall(r"--(\w+):(#\w+)", each)) for each in re.findall(r":root[^{}]*\{([^}]*)\}", css))
    assert len(dark) == 2
    assert dark[0] == dark[1], "by the system's choice and by the page's the dark page is the same"
    return {"light": light, "dark": {**light, **dark[0]}}


def lab(rgb, eye):
    """Return CIE L*a*b* of sRGB in 0 to 1 as ``eye`` sees it."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ np.clip(eye @ linear, 0.0, 1.0) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16.0 / 116.0)
    return np.array([116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])])


def rgb_of(colour):
    digits = colour.lstrip("#")
    digits = "".join(2 * one for one in digits) if len(digits) == 3 else digits
    return np.array([int(digits[i : i + 2], 16) for i in (0, 2, 4)]) / 255.0


def alike(colours, eye):
    seen = {name: lab(rgb, eye) for name, rgb in colours.items()}
    pairs = itertools.combinations(seen, 2)
    return [(a, b) for a, b in pairs if np.linalg.norm(seen[a] - seen[b]) < LEAST]


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_of_one_figure_are_told_apart(theme, eye):
    palette = palettes()[theme]
    for figure, names in TOGETHER.items():
        assert alike({name: rgb_of(palette[name]) for name in names}, EYES[eye]) == [], figure


@pytest.mark.parametrize("eye", EYES)
def test_the_three_modes_of_cooling_are_told_apart(eye):
    modes = {"full": heatmap.FULL_RGB, "partial": heatmap.PARTIAL_RGB, "none": heatmap.NONE_RGB}
    assert alike({name: np.array(rgb) / 255.0 for name, rgb in modes.items()}, EYES[eye]) == []


def test_two_colours_that_deuteranopes_confuse_are_found():
    """The check itself: this violet and this grey differ by hue alone."""
    pair = {"violet": rgb_of("#cc79a7"), "grey": rgb_of("#8a929c")}
    assert alike(pair, EYES["all colours"]) == []
    assert alike(pair, EYES["deuteranopia"]) == [("violet", "grey")]
