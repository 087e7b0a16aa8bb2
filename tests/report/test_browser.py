"""The report in a real browser, at two widths, light and dark, printed, by keyboard, and judged by axe-core."""

from __future__ import annotations

import re

import pytest

SERIOUS = ("serious", "critical")

SCROLLED = """[...document.querySelectorAll('.scroll, .canvas')].filter(s => s.scrollWidth > s.clientWidth + 1)
  .map(s => `${s.parentElement.tagName.toLowerCase()}: ${s.getAttribute('aria-label') ?? s.parentElement.id}`)"""
"""What cannot be read without pushing it sideways."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(retrofit, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(retrofit.report(), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module", params=["retrofit", "shops", "laboratory", "year", "window"])
def any_address(request, tmp_path_factory):
    """Rear doors and outdoor air; machines by the hour alone; plates, a warm loop and a rented part; simulations."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(request.getfixturevalue(request.param).report(), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_error_no_overflow_no_serious_finding(browser, any_address, axe, width, scheme):
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: errors.append(request.url) if request.url.startswith("http") else None)
    page.goto(any_address)
    wide, room = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= room
    assert page.evaluate(
        "[...document.querySelectorAll('figure')].every(f =>"
        " [...f.querySelectorAll('svg')].some(s => s.checkVisibility() && s.getBBox().width > 50))"
    )
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert [one for one in page.evaluate(SCROLLED) if width < 720 or "section" in one] == []
    page.evaluate(axe)
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(r => r.violations)")
    serious = {f["id"]: [n["target"] for n in f["nodes"][:3]] for f in found if f["impact"] in SERIOUS}
    page.close()
    assert serious == {}
    assert errors == []


@pytest.mark.parametrize("width", [1280, 390])
def test_text_does_not_leave_its_drawing(browser, any_address, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(any_address)
    out = page.evaluate(
        """[...document.querySelectorAll('figure svg')].filter(s => s.checkVisibility()).flatMap(s => {
            const [, , w, h] = s.getAttribute('viewBox').split(' ').map(Number);
            return [...s.querySelectorAll('text')].filter(t => {
              const b = t.getBBox(); const e = 0.5;
              return b.x < -e || b.x + b.width > w + e || b.y < -e || b.y + b.height > h + e;
            }).map(t => s.closest('figure').id + ': ' + t.textContent); })"""
    )
    page.close()
    assert out == []


@pytest.mark.parametrize("width", [1280, 390])
def test_texts_do_not_write_into_each_other(browser, any_address, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(any_address)
    both = page.evaluate(
        """[...document.querySelectorAll('figure svg')].filter(s => s.checkVisibility()).flatMap(s => {
            const texts = [...s.querySelectorAll('text')].map(t => [t.getBBox(), t.textContent]);
            return texts.flatMap(([a, one], i) => texts.slice(i + 1).filter(([b]) =>
              Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x) > 2
              && Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y) > 4
            ).map(([, two]) => `${s.closest('figure').id}: ${one} / ${two}`)); })"""
    )
    page.close()
    assert both == []


@pytest.mark.parametrize("width", [1280, 390])
def test_names_stay_in_their_machine(browser, any_address, width):
    """Centred text of a box is no wider than the box."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(any_address)
    out = page.evaluate(
        """[...document.querySelectorAll('figure svg')].filter(s => s.checkVisibility()).flatMap(s => {
            const texts = [...s.querySelectorAll('text[text-anchor=middle]')];
            return [...s.querySelectorAll('rect.machine')].map(r => r.getBBox()).flatMap(r => texts.filter(t => {
              const b = t.getBBox(), x = b.x + b.width / 2, y = b.y + b.height / 2;
              return Math.abs(x - r.x - r.width / 2) < 1 && y > r.y && y < r.y + r.height && b.width > r.width - 4;
            }).map(t => s.closest('figure').id + ': ' + t.textContent)); })"""
    )
    page.close()
    assert out == []


def test_keyboard_filter_theme_and_downloads(browser, address, tmp_path):
    page = browser.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    page.goto(address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "theme"
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.fill("#filter", "no such value anywhere")
    assert page.evaluate("[...document.querySelectorAll('#provenance tbody tr')].every(r => r.hidden)")
    for name, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("CSV", b"Purpose,Present value (USD),")):
        with page.expect_download() as waiting:
            page.click(f"#cost .tools button:has-text('{name}')")
        target = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(target)
        assert target.read_bytes().startswith(start)
    page.close()


def test_it_prints_on_a4(browser, address):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address)
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    page.close()
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") + printed.count(b"/Type /Page ") < 40


def test_paper_is_white_whatever_the_screen_was(browser, address):
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page.goto(address)
    ink = "[getComputedStyle(document.body).color, getComputedStyle(document.querySelector('svg text')).fill]"
    dark = page.evaluate(ink)
    page.emulate_media(media="print", color_scheme="dark")
    printed = page.evaluate(ink)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.close()
    assert paper == "rgb(255, 255, 255)"
    assert dark != printed
    assert all(max(map(int, re.findall(r"\d+", colour)[:3])) < 120 for colour in printed)


@pytest.mark.parametrize("width", [1280, 1000, 500])
def test_no_card_stands_in_a_row_with_a_hole(browser, address, width):
    page = browser.new_page(viewport={"width": width, "height": 700})
    page.goto(address)
    boxes = page.eval_on_selector_all(
        ".kpis li", "found => found.map(x => x.getBoundingClientRect()).map(r => [r.top, r.left, r.right])"
    )
    page.close()
    rows = {}
    for top, left, right in boxes:
        rows.setdefault(round(top), []).append((left, right))
    spans = {(round(min(row)[0]), round(max(row)[1])) for row in rows.values()}
    assert len(boxes) == 7
    assert len(spans) == 1
    assert len(rows) == {1280: 1, 1000: 2, 500: 4}[width]


def test_a_card_of_many_lines_is_as_tight_as_one_of_few(browser, address):
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(address)
    tall = page.evaluate(
        "[...document.querySelectorAll('section > .scroll > table.cards')].flatMap(t =>"
        " [...t.querySelectorAll('td')].filter(c => c.textContent.length < 8 && c.dataset.of.length < 8)"
        " .map(c => c.getBoundingClientRect().height)).filter(h => h > 0)"
    )
    page.close()
    assert len(tall) > 40
    assert max(tall) < 1.35 * min(tall)
