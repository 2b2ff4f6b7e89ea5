"""The page in a real browser: what each part promises, done with mouse and keyboard."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from tests.browser.hands import (
    LEVEL_ONE,
    canvas,
    caption,
    captioned_picture,
    decoded,
    draw,
    message,
    nothing_share,
    open_page,
    overlay,
    step,
    train,
    until,
    upload,
    wait_for_state,
    words,
)

pytestmark = pytest.mark.browser

MOST_START_SECONDS = 30


def test_first_page_comes_soon(server):
    assert server.seconds_to_first_page < MOST_START_SECONDS


def test_idle_page_asks_for_nothing_but_how_its_run_goes(page):
    open_page(page)
    page.wait_for_timeout(1500)
    asked = requests_of(page)
    page.wait_for_timeout(2000)
    assert {path for path, _ in asked} == {"/gradio_api/run/predict"}
    assert len(set(asked)) == 1 and len(asked) < 8


def test_idle_page_hardly_asks_for_animation_frames(page):
    page.add_init_script(
        "window.framesAsked = 0; const ask = window.requestAnimationFrame.bind(window);"
        "window.requestAnimationFrame = (callback) => { window.framesAsked += 1; return ask(callback); };"
    )
    open_page(page)

    def in_a_second():
        before = page.evaluate("window.framesAsked")
        page.wait_for_timeout(1000)
        return page.evaluate("window.framesAsked") - before

    # Gradio's own tracker goes on asking sixty times a second, on the cores that the model would learn with.
    until(page, lambda: in_a_second() < 20, "the page comes to rest")


# Your picture


def test_drawing_with_the_mouse_is_captioned(page):
    open_page(page)
    draw(page)
    spoken = caption(page)
    assert spoken and all(spoken)
    shown = captioned_picture(page)
    ink = (shown.min(axis=2) < 128).mean()
    assert 0.02 < ink < 0.3
    assert shown[shown.min(axis=2) < 128].std(axis=0).max() < 40  # one brush, one colour


def test_second_stroke_in_another_colour_leaves_the_first(page):
    open_page(page)
    draw(page, [(-60, -60), (60, -60)])
    page.check("#editor [aria-label^=green]")
    draw(page, [(-60, 60), (60, 60)])
    caption(page)
    shown = captioned_picture(page)
    inked = shown.min(axis=2) < 128
    upper, lower = shown[:112][inked[:112]], shown[112:][inked[112:]]
    assert len(upper) > 200 and len(lower) > 200
    assert np.abs(np.median(upper, axis=0) - np.median(lower, axis=0)).max() > 80


def test_the_eraser_takes_away_and_undo_brings_back(page):
    open_page(page)
    draw(page, [(-60, 0), (60, 0)])
    drawn = canvas(page)
    page.check("#editor [aria-label^=eraser]")
    draw(page, [(-70, 0), (70, 0)])
    assert canvas(page).min() > 250
    page.click("#undo")
    until(page, lambda: (canvas(page) == drawn).all(), "the stroke is back")


def test_the_caption_follows_the_strokes_by_itself(page):
    open_page(page)
    draw(page)
    page.wait_for_selector("#lens-root[data-done=true]")
    first = page.get_attribute("#picture-data [data-json]", "data-json")
    draw(page, [(-60, 0), (60, 0)])
    seen = page.locator("#picture-data [data-json]")
    until(page, lambda: seen.get_attribute("data-json") != first, "the picture is seen anew")
    page.click("#clear")
    until(page, lambda: not words(page), "nothing is said of an empty canvas")
    assert page.locator("#message [role=alert]").count() == 0


def test_stamps_make_pictures_that_need_no_hand(page):
    open_page(page)
    page.check("#editor [aria-label^=blue]")
    page.focus("#editor [data-shape=star]")
    page.keyboard.press("Enter")
    until(page, lambda: "star" in words(page), "the star is named")
    assert "blue" in words(page)
    page.click("#editor [data-shape=circle]")
    until(page, lambda: {"star", "circle"} <= set(words(page)), "both are named")


def test_maps_of_a_known_picture_are_held_against_its_objects(page):
    open_page(page)
    page.locator("#samples button").nth(2).click()
    until(page, lambda: "heart" in words(page), "the picture is captioned")
    page.locator("#lens-root .word", has_text="heart").first.hover()
    truth = page.locator("#lens-details .truth")
    assert truth.get_attribute("data-hit") == "true"
    assert page.locator("#lens-overlay .object").count() == 1
    page.locator("#lens-root .word").first.hover()  # "a" speaks of no object
    assert truth.count() == 0
    draw(page, [(-60, 60), (60, 60)])  # now nobody knows what the picture shows
    page.wait_for_timeout(1000)
    page.locator("#lens-root .word").nth(2).hover()
    assert truth.count() == 0


def test_cleared_canvas_is_empty_and_can_be_drawn_on(page):
    open_page(page)
    draw(page)
    page.click("#clear")
    until(page, lambda: canvas(page).min() > 250, "the canvas is white again")
    page.click("#ask")
    assert "canvas is empty" in message(page)
    draw(page)
    assert caption(page)
    assert page.locator("#message [role=alert]").count() == 0


def test_uploaded_picture_is_captioned(page, tmp_path):
    open_page(page)
    halves = Image.new("RGB", (120, 120), (20, 60, 220))
    halves.paste((250, 220, 30), (0, 60, 120, 120))
    halves.save(tmp_path / "halves.png")
    upload(page, tmp_path / "halves.png")
    until(page, lambda: canvas(page)[..., 0].min() < 60, "the picture is on the canvas")
    assert caption(page)
    shown = captioned_picture(page)
    assert np.abs(shown[:100] - (20, 60, 220)).mean() < 12
    assert np.abs(shown[124:] - (250, 220, 30)).mean() < 12


def test_file_that_is_no_picture_gets_a_sentence_and_the_drawing_stays(page, tmp_path):
    open_page(page)
    draw(page)
    (tmp_path / "letter.png").write_text("This is a letter.")
    upload(page, tmp_path / "letter.png")
    told = message(page)
    assert told.startswith("'letter.png' is not a picture") and told.endswith(".") and "Traceback" not in told
    caption(page)
    assert (captioned_picture(page).min(axis=2) < 128).mean() > 0.02


def test_ready_picture_is_captioned_as_it_is(page):
    open_page(page)
    button = page.locator("#samples button").nth(1)
    wanted = decoded(button.locator("img").get_attribute("src"))
    button.click()
    until(page, lambda: canvas(page).min() < 128, "the picture is on the canvas")
    assert caption(page)
    shown = captioned_picture(page).reshape(112, 2, 112, 2, 3).mean(axis=(1, 3))
    assert np.abs(shown - wanted).mean() < 8


def test_random_scene_is_another_one_each_time(page):
    open_page(page)
    seen = [canvas(page)]
    for _ in range(2):
        page.click("#random")
        until(page, lambda: (canvas(page) != seen[-1]).any(), "another scene is on the canvas")
        seen.append(canvas(page))
    assert caption(page)
    assert captioned_picture(page).min() < 128


# Caption and lens


def test_caption_comes_word_by_word_each_with_its_probability(page):
    open_page(page)
    draw(page)
    page.evaluate(
        """() => {
            window.lengths = [];
            new MutationObserver(() => {
                const holder = document.querySelector("#caption-data [data-json]");
                if (holder) window.lengths.push(JSON.parse(holder.dataset.json).words.length);
            }).observe(document.querySelector("#caption-data"), {childList: true, subtree: true, attributes: true});
        }"""
    )
    spoken = caption(page)
    lengths = page.evaluate("window.lengths")
    lengths = lengths[lengths.index(1) :]  # before it came what followed the stroke by itself, all at once
    assert lengths == sorted(lengths) and lengths[-1] == len(spoken)
    assert len(set(lengths)) > 2 and lengths[0] < len(spoken)
    chances = page.locator("#lens-root .word .chance").all_inner_texts()
    assert len(chances) == len(spoken)
    assert all(chance.endswith("%") and 0 < float(chance.rstrip(" %")) <= 100 for chance in chances)


def test_pointing_at_a_word_paints_its_map_at_once_and_asks_nobody(captioned):
    page = captioned
    spoken = words(page)
    page.wait_for_timeout(1000)
    idle = requests_of(page)
    page.wait_for_timeout(1200)
    usual = set(idle)
    page.evaluate(
        """() => {
            window.waits = [];
            let pointed = 0;
            document.addEventListener("pointerover", (event) => {
                if (event.target.closest(".word")) pointed = event.timeStamp;
            }, true);
            new MutationObserver(() => window.waits.push(performance.now() - pointed))
                .observe(document.querySelector("#lens-overlay"), {childList: true});
        }"""
    )
    maps = []
    for i in (len(spoken) - 1, 0, len(spoken) // 2):
        page.locator("#lens-root .word").nth(i).hover()
        word, cells = overlay(page)
        assert word == spoken[i]
        maps.append(cells)
    assert maps[0] != maps[1] != maps[2]
    waits = page.evaluate("window.waits")
    assert len(waits) >= 3 and max(waits) < 200
    assert set(idle) == usual


def test_keyboard_reaches_each_word_and_paints_its_map(captioned):
    page = captioned
    spoken = words(page)
    page.focus("#ask")
    here = "document.activeElement.closest('#lens-root .word')?.dataset.index ?? null"
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate(here) is not None:
            break
    for i in range(len(spoken)):
        assert page.evaluate(here) == str(i)
        assert overlay(page)[0] == spoken[i]
        assert page.get_attribute(f'#lens-root .word[data-index="{i}"]', "aria-pressed") == "true"
        page.keyboard.press("Tab")


def test_attention_and_what_went_to_nothing_make_a_whole_in_every_head(captioned):
    page = captioned
    spoken = words(page)
    heads = page.locator("#lens-head option").evaluate_all("options => options.map((option) => option.value)")
    assert "mean" in heads and len(heads) > 1
    for i in (0, len(spoken) - 1):
        page.locator("#lens-root .word").nth(i).hover()
        maps = {}
        for head in heads:
            page.select_option("#lens-head", head)
            _, cells = overlay(page)
            assert min(cells) >= 0
            assert sum(cells) + nothing_share(page) == pytest.approx(1, abs=0.02)
            maps[head] = cells
        single = [cells for head, cells in maps.items() if head != "mean"]
        assert np.allclose(maps["mean"], np.mean(single, axis=0), atol=1e-4)


def test_choosing_a_head_changes_the_map(captioned):
    page = captioned
    before = overlay(page)
    values = page.locator("#lens-head option").evaluate_all("options => options.map((option) => option.value)")
    page.select_option("#lens-head", values[1])
    assert overlay(page)[0] == before[0] and overlay(page)[1] != before[1]


def test_caption_speaks_the_language_asked_for(page):
    open_page(page)
    draw(page)
    english = "".join(caption(page))
    page.locator("#spoken label").nth(1).click()
    chinese = "".join(caption(page))
    assert english.isascii() and not any(map(str.isascii, chinese))
    assert page.get_attribute("#lens-root .words", "lang") == "zh"


# Training


def test_training_goes_on_by_itself(page):
    open_page(page, LEVEL_ONE)
    train(page)
    wait_for_state(page, "running")
    early, spent = step(page), spent_share(page)
    until(page, lambda: step(page) > early and spent_share(page) > spent, "step and progress grow")
    assert page.locator("#train").is_disabled()


def test_pause_stands_still_resume_goes_on_stop_ends(page):
    open_page(page, LEVEL_ONE)
    train(page)
    page.click("#pause")
    wait_for_state(page, "paused")
    page.wait_for_timeout(1200)  # the step that was under way, and the page's next look
    held = step(page)
    page.wait_for_timeout(1200)
    assert step(page) == held
    page.click("#resume")
    until(page, lambda: step(page) > held, "the step grows again")
    page.click("#stop")
    wait_for_state(page, "stopped")
    ended = step(page)
    page.wait_for_timeout(1200)
    assert step(page) == ended
    assert page.locator("#train").is_enabled() and page.locator("#resume").is_hidden()


def test_reloaded_page_finds_its_run_by_the_address(page):
    open_page(page, LEVEL_ONE)
    run = train(page)
    assert f"run={run}" in page.url
    reached = step(page)
    page.reload()
    page.wait_for_selector("#status [data-run]")
    assert page.get_attribute("#status [data-run]", "data-run") == run
    until(page, lambda: step(page) > reached, "the run has gone on")
    page.locator("#settings button").first.click()
    until(page, lambda: page.locator("#level input:checked").input_value() == "1", "its settings are back")
    assert page.input_value("#seconds input") == "60"


def test_another_tab_sees_nothing_of_the_run(page):
    open_page(page, LEVEL_ONE)
    run = train(page)
    other = page.context.new_page()
    open_page(other)
    other.wait_for_timeout(1500)
    assert other.locator("#status [data-run]").count() == 0 and run not in other.content()
    assert other.locator("#train").is_enabled() and other.locator("#stop").is_hidden()
    other.close()


def test_finished_run_s_model_is_the_one_that_captions(page):
    open_page(page, LEVEL_ONE.replace("seconds=60", "seconds=2"))
    draw(page)
    train(page)
    wait_for_state(page, "finished")
    assert spent_share(page) > 0.8
    assert page.locator("#status ul.says li").count() == 2
    caption(page)
    assert f"trained here speaks, as it was at step {step(page)}" in page.inner_text("#note")
    page.locator("#speaker label").nth(1).click()
    caption(page)
    assert "bundled model speaks" in page.inner_text("#note")


# Language, size


def test_time_machine_shows_what_the_run_said_at_any_time_and_plays(page):
    open_page(page, "seconds=4&level=1&style=clean")
    page.click("#editor [data-shape=star]")
    until(page, lambda: words(page), "the bundled model speaks")
    assert not page.locator("#life-slider").is_visible()
    train(page)
    wait_for_state(page, "finished")
    slider = page.locator("#life-slider input[type=range]")
    slider.wait_for()

    def told_step():
        found = re.search(r"step (\d+)", page.inner_text("#note"))
        return int(found.group(1)) if found else None

    last = int(slider.get_attribute("max"))
    slider.fill(str(last - 1))
    late = until(page, told_step, "the model speaks as it was late in the run")
    slider.fill("1")
    until(page, lambda: (told_step() or late) < late, "and as it was earlier")
    page.click("#play")
    until(page, lambda: int(slider.input_value()) > 3, "it goes on by itself")
    page.click("#play")


def test_language_switch_changes_words_and_address_and_back(page):
    open_page(page)
    english = page.inner_text("#ask")
    page.locator("#language label").nth(1).click()
    until(page, lambda: page.inner_text("#ask") != english, "the button speaks Chinese")
    assert "lang=zh" in page.url and page.get_attribute("html", "lang") == "zh"
    assert_chinese(page)
    page.locator("#language label").nth(0).click()
    until(page, lambda: page.inner_text("#ask") == english, "the button speaks English again")
    assert "lang=en" in page.url and page.get_attribute("html", "lang") == "en"


def test_address_opens_the_page_in_chinese(page):
    open_page(page, "lang=zh")
    until(page, lambda: page.inner_text("#ask") == "你看到了什么?", "the button speaks Chinese")
    assert page.get_attribute("html", "lang") == "zh"
    assert_chinese(page)
    draw(page)
    assert not any(map(str.isascii, "".join(caption(page))))


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}])
def test_page_fits_a_phone(page, viewport):
    open_page(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"] + 1
    draw(page)
    assert caption(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"] + 1


def requests_of(page):
    """A list that grows with what the page asks the server for from now on: (path, which function)."""
    asked = []

    def note(request):
        if request.url.startswith("http"):
            path = request.url.split("?")[0].split("/", 3)[3]
            asked.append((f"/{path}", function_asked_for(request)))

    page.on("request", note)
    return asked


def function_asked_for(request):
    body = request.post_data_buffer or b""
    return json.loads(body)["fn_index"] if body.startswith(b"{") else None


def spent_share(page):
    return float(page.get_attribute("#status progress", "value"))


def assert_chinese(page):
    """Every word that can be read on a button or above a field becomes Chinese, but for the switch itself."""
    for _ in range(100):
        if not in_latin_letters(page):
            break
        page.wait_for_timeout(50)
    assert len(readable(page)) > 8 and not in_latin_letters(page), in_latin_letters(page)


def readable(page):
    texts = page.locator("button:visible, [data-testid=block-info]:visible, label:visible").all_inner_texts()
    both = ("English", "Language / 语言")  # said in both languages whatever the page speaks
    return [text.strip() for text in texts if text.strip() and text.strip() not in both]


def in_latin_letters(page):
    return [text for text in readable(page) if any("a" <= letter.lower() <= "z" for letter in text)]
