"""A page in a real browser: quiet, answering to pointer, keyboard and slider, on any screen."""

import shutil

import pages
import pytest

from jaxflow.show.page import write

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

pytestmark = pytest.mark.slow

INSTALLED = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    other = pages.grid(folder / "other", ratio=1.05, seed=1)
    written = {"plane": write(pages.plane(folder / "plane", pages.HOSTILE))}
    written["grid"] = write(pages.grid(folder / "grid"), other)
    return written | {"events": write(pages.events(folder / "events"))}


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, INSTALLED)), None)
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def opened(browser, path):
    """Opens a page, and at the end asks whether it was quiet and asked for nothing."""
    contexts, said, asked = [], [], []

    def open_page(name="plane", **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path[name].as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not said
    assert all(url.startswith("data:") or url.endswith("report.html") for url in asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["plane", "grid", "events"])
def test_nothing_serious_is_found_by_axe(opened, name, scheme):
    page = opened(name, color_scheme=scheme)
    page.locator("[data-point]").first.hover(force=True)
    found = axe.Axe().run(page).response["violations"]
    grave = [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in GRAVE]
    assert not grave


@pytest.mark.parametrize("name", ["plane", "grid", "events"])
def test_a_phone_shows_it_without_scrolling_aside(opened, name):
    page = opened(name, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    size = "t.ownerSVGElement.getScreenCTM().a * parseFloat(getComputedStyle(t).fontSize)"
    sizes = page.eval_on_selector_all("figure > svg text", f"all => all.map(t => {size})")
    assert min(sizes) > 9


def test_dark_is_dark(opened):
    background = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    assert max(opened(color_scheme="dark").evaluate(background)) < 60
    assert min(opened(color_scheme="light").evaluate(background)) > 240


def test_a_place_answers_to_the_pointer(opened):
    page = opened()
    figure = page.locator("#diagram figure").first
    figure.locator("[data-point]").nth(2).hover(force=True)
    told = figure.locator(".told").inner_text()
    assert "had the event, P = " in told and "[" in told
    command = figure.locator("code").inner_text()
    assert command.startswith("jaxflow trial ") and "--trial-seed" in command
    figure.locator("[data-point]").nth(2).click(force=True)
    assert figure.locator("[aria-pressed=true]").count() == 1


def test_a_place_answers_to_the_keyboard(opened):
    page = opened("grid")
    plot = page.locator("#diagram svg.plot").first
    assert plot.locator("[tabindex='0']").count() == 1
    plot.locator("[tabindex='0']").focus()
    labels = [page.evaluate("document.activeElement.getAttribute('aria-label')")]
    for key in ("ArrowUp", "ArrowUp", "ArrowDown", "ArrowRight", "End", "Home"):
        page.keyboard.press(key)
        labels.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    n = [int(label.partition("n = ")[2].partition(",")[0]) for label in labels]
    assert n[0] < n[1] < n[2] > n[3] and n[3] == n[1] and n[0] == n[6]
    assert "d=20" in labels[3] and "d=40" in labels[4] and "d=60" in labels[5]
    page.keyboard.press("Enter")
    assert plot.locator("[aria-pressed=true]").count() == 1
    assert plot.locator("[tabindex='0']").count() == 1


def test_the_slider_moves_the_boundary(opened):
    page = opened("grid")
    cell = page.locator("[data-thresholds] tbody td").first
    line = page.locator("[data-key] [data-part=line]").first
    before = cell.inner_text(), line.get_attribute("d")
    page.locator("#horizon").focus()
    page.keyboard.press("ArrowLeft")
    assert "T = 15" in page.locator("output").inner_text()
    assert page.locator("#horizon").get_attribute("aria-valuetext").startswith("T = 15")
    page.locator("#horizon").fill("0")
    assert page.locator("output").inner_text() == "T = 6.25"
    page.keyboard.press("End")
    page.locator("#horizon").fill(page.locator("#horizon").get_attribute("max"))
    assert (cell.inner_text(), line.get_attribute("d")) == before
    page.evaluate("document.querySelector('#horizon').closest('.controls').scrollIntoView()")


def test_it_is_whole_without_scripts(opened):
    page = opened(java_script_enabled=False)
    assert page.locator("#diagram svg.plot [data-point]").count() > 10
    assert not page.locator(".horizon, .readout").first.is_visible()


def test_it_prints(opened, tmp_path):
    page = opened()
    page.emulate_media(media="print", color_scheme="dark")
    assert not page.locator(".horizon").is_visible()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == "rgb(255, 255, 255)"
    assert page.pdf(path=tmp_path / "x.pdf", format="A4")[:4] == b"%PDF"
