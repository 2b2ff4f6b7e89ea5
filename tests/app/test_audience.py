"""Rooms in which a class guesses, what phones may ask of the server, and what the presenter sees."""

import json
import re
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

from vlm_core.app import audience, speakers
from vlm_core.app.audience import PATCHES, Exhibit, NotAsked, RoomGone, Rooms, TooBusy
from vlm_core.app.audience_routes import Reach, base_address, own_address, preferred, reach, routes
from vlm_core.app.heads import head_named, name_head
from vlm_core.app.images import data_uri
from vlm_core.app.maps import outline
from vlm_core.app.panels.audience import Presenter, show_answer, show_way_in
from vlm_core.app.texts import text
from vlm_core.errors import UserError
from vlm_core.insight.exam import Exam

OPEN = Reach("https://lecture.example", True, None)


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def exhibit(words=("a", "red", "star"), touched=(None, [20, 21], [20, 21]), png=b"png"):
    maps = np.zeros((len(words), 2, 2, PATCHES))
    maps[:, 0, 0, 20] = 0.6
    maps[:, 1, 1, 100] = 0.2
    return Exhibit(png, "en", words, maps, PATCHES + 1, (0, 0), touched)


def phone(number):
    return f"{number:032x}"


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def rooms(clock):
    return Rooms(clock)


@pytest.fixture
def key(rooms):
    return rooms.open(exhibit())


def code_of(rooms, key):
    return rooms.look(key).code


# Rooms


def test_the_last_tap_of_each_phone_counts(rooms, key):
    code = code_of(rooms, key)
    for voter, patch in ((1, 5), (2, 5), (1, 6), (1, 7)):
        rooms.tap(code, phone(voter), 1, patch)
    counts = rooms.look(key).counts()
    assert counts.sum() == 2 and counts[5] == counts[7] == 1


def test_the_first_question_is_the_first_word_that_speaks_of_something(rooms, key):
    state = rooms.state(code_of(rooms, key))
    assert state["before"] == ("a",) and state["word"] is None


def test_the_class_is_told_the_word_only_when_it_is_revealed(rooms, key):
    code = code_of(rooms, key)
    assert "red" not in json.dumps(rooms.state(code))
    rooms.reveal(key, None)
    assert rooms.state(code)["word"] == "red"


def test_a_new_question_begins_with_no_taps_and_takes_none_of_the_old(rooms, key):
    code = code_of(rooms, key)
    rooms.tap(code, phone(1), 1, 5)
    rooms.ask(key, 2)
    assert not rooms.look(key).taps
    with pytest.raises(NotAsked):
        rooms.tap(code, phone(1), 1, 5)
    rooms.tap(code, phone(1), 2, 5)


def test_what_is_revealed_takes_no_more_taps(rooms, key):
    rooms.reveal(key, None)
    with pytest.raises(NotAsked):
        rooms.tap(code_of(rooms, key), phone(1), 1, 5)


def test_another_picture_has_another_number_and_asks_anew(rooms, key):
    code = code_of(rooms, key)
    before = rooms.state(code)
    rooms.show(key, exhibit(png=b"other"))
    after = rooms.state(code)
    assert after["picture"] != before["picture"] and after["question"] != before["question"]
    assert rooms.picture(code, after["picture"]) == b"other"
    with pytest.raises(RoomGone):
        rooms.picture(code, before["picture"])


@pytest.mark.parametrize("patch", [-1, PATCHES, 1.5, "5", None, True, [5]])
def test_a_tap_beside_the_picture_is_refused(rooms, key, patch):
    with pytest.raises(NotAsked):
        rooms.tap(code_of(rooms, key), phone(1), 1, patch)
    assert not rooms.look(key).taps


@pytest.mark.parametrize("voter", ["", "short", "x" * 41, "<script>alert(1)</script>", None, 7, "é" * 20])
def test_a_phone_without_a_proper_name_is_refused(rooms, key, voter):
    with pytest.raises(NotAsked):
        rooms.tap(code_of(rooms, key), voter, 1, 5)


def test_a_room_counts_only_so_many_phones_but_each_may_change_its_mind(rooms, key, clock):
    code = code_of(rooms, key)
    for voter in range(audience.MOST_VOTERS):
        clock.now += 0.02
        rooms.tap(code, phone(voter), 1, 5)
    clock.now += 1
    with pytest.raises(TooBusy):
        rooms.tap(code, phone(audience.MOST_VOTERS), 1, 5)
    rooms.tap(code, phone(0), 1, 6)
    assert rooms.look(key).counts()[6] == 1


def test_a_room_takes_only_so_many_taps_a_second(rooms, key, clock):
    code = code_of(rooms, key)
    for _ in range(audience.MOST_TAPS_A_SECOND):
        rooms.tap(code, phone(1), 1, 5)
    with pytest.raises(TooBusy):
        rooms.tap(code, phone(1), 1, 6)
    clock.now += 1
    rooms.tap(code, phone(1), 1, 6)


def test_there_are_only_so_many_rooms_and_a_closed_one_makes_place(rooms, key):
    for _ in range(audience.MOST_ROOMS - 1):
        rooms.open(exhibit())
    with pytest.raises(UserError, match="rooms are open"):
        rooms.open(exhibit())
    rooms.close(key)
    rooms.open(exhibit())


def test_a_closed_room_is_gone_for_everybody(rooms, key):
    code = code_of(rooms, key)
    rooms.close(key)
    assert rooms.look(key) is None
    for ask in (lambda: rooms.state(code), lambda: rooms.picture(code, 1), lambda: rooms.tap(code, phone(1), 1, 5)):
        with pytest.raises(RoomGone):
            ask()
    for action in (rooms.close, lambda key: rooms.ask(key, 1), lambda key: rooms.reveal(key, None)):
        action(key)  # does nothing, and no harm


def test_a_room_left_alone_closes_and_one_in_use_does_not(rooms, key, clock):
    used = rooms.open(exhibit())
    clock.now += audience.IDLE_SECONDS - 10
    rooms.look(key), rooms.state(code_of(rooms, key))  # a browser left open keeps no room
    rooms.tap(code_of(rooms, used), phone(1), 1, 5)
    clock.now += 20
    assert rooms.look(key) is None
    assert rooms.look(used) is not None


def test_neither_a_code_nor_nothing_is_a_key(rooms, key):
    for other in (code_of(rooms, key), "", None):
        assert rooms.look(other) is None
        rooms.close(other)
    assert rooms.look(key) is not None


def test_codes_differ_and_are_read_in_one_way(rooms):
    codes = {code_of(rooms, rooms.open(exhibit())) for _ in range(audience.MOST_ROOMS)}
    assert len(codes) == audience.MOST_ROOMS
    assert all(re.fullmatch("[2-9A-HJKMNP-Z]{6}", code) for code in codes)


def test_taps_of_many_threads_all_arrive(rooms, key):
    code = code_of(rooms, key)

    def tap(first):
        for voter in range(first, first + 20):
            rooms.tap(code, phone(voter), 1, voter % PATCHES)

    threads = [threading.Thread(target=tap, args=(20 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rooms.look(key).counts().sum() == 160


# Routes


@pytest.fixture
def web(rooms):
    return TestClient(FastAPI(routes=routes(rooms, wait_seconds=0)))


def test_a_phone_is_told_what_is_asked_and_then_only_what_is_new(web, rooms, key):
    address = f"/audience/rooms/{code_of(rooms, key)}"
    first = web.get(address)
    assert first.json()["before"] == ["a"] and len(first.content) < 200
    known = {"If-None-Match": first.headers["etag"]}
    same = web.get(address, headers=known)
    assert same.status_code == 304 and not same.content
    rooms.tap(code_of(rooms, key), phone(1), 1, 5)  # of no interest to the others
    assert web.get(address, headers=known).status_code == 304
    rooms.ask(key, 2)
    assert web.get(address, headers=known).json()["before"] == ["a", "red"]
    rooms.close(key)
    assert web.get(address, headers=known).status_code == 404


def test_a_phone_that_waits_hears_of_the_next_question_by_itself(rooms, key):
    patient = TestClient(FastAPI(routes=routes(rooms, wait_seconds=30)))
    later = threading.Timer(0.2, rooms.ask, (key, 2))
    later.start()
    answer = patient.get(f"/audience/rooms/{code_of(rooms, key)}", headers={"If-None-Match": '"1"'})
    assert answer.json()["before"] == ["a", "red"]


def test_a_tap_is_counted(web, rooms, key):
    address = f"/audience/rooms/{code_of(rooms, key)}/taps"
    assert web.post(address, json={"voter": phone(1), "question": 1, "patch": 195}).status_code == 204
    assert rooms.look(key).counts()[195] == 1


BAD_TAPS = {
    b"": 400, b"{": 400, b"[]": 400, b"5": 400, b"\xff\xfe": 400, b"{}": 400, b"[" * 199: 400,
    b'"' + b"x" * 5000 + b'"': 400,
    json.dumps({"voter": phone(1), "question": 1, "patch": 196}).encode(): 409,
    json.dumps({"voter": phone(1), "question": 2, "patch": 1}).encode(): 409,
    json.dumps({"voter": [1], "question": 1, "patch": 1}).encode(): 409,
    json.dumps({"voter": phone(1), "question": 1, "patch": {}}).encode(): 409,
}  # fmt: skip


@pytest.mark.parametrize("body", BAD_TAPS)
def test_what_is_no_tap_is_refused(web, rooms, key, body):
    answer = web.post(f"/audience/rooms/{code_of(rooms, key)}/taps", content=body)
    assert answer.status_code == BAD_TAPS[body] and not answer.content
    assert not rooms.look(key).taps


def test_nobody_gets_into_a_room_that_is_not_there(web, rooms, key):
    for path in ("/audience/rooms/NOROOM", "/audience/rooms/NOROOM/pictures/1", "/audience/rooms/%2e%2e"):
        assert web.get(path).status_code == 404
    tap = {"voter": phone(1), "question": 1, "patch": 1}
    assert web.post("/audience/rooms/NOROOM/taps", json=tap).status_code == 404


def test_the_picture_is_the_one_asked_about(web, rooms, key):
    answer = web.get(f"/audience/rooms/{code_of(rooms, key)}/pictures/1")
    assert answer.content == b"png" and answer.headers["content-type"] == "image/png"
    assert web.get(f"/audience/rooms/{code_of(rooms, key)}/pictures/2").status_code == 404


def test_the_page_asks_no_other_server_and_speaks_the_phone_s_language(web):
    for wish, language in (("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-GB", "en"), ("fr,de;q=0.8", "en")):
        answer = web.get("/audience", headers={"Accept-Language": wish})
        assert f'<html lang="{language}">' in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not re.search(r"https?://", answer.text.replace("http://www.w3.org", ""))
        words = json.loads(re.search(r'id="words">(.*?)</script>', answer.text, re.DOTALL).group(1))
        assert words["zh"]["phone_title"] == text("zh", "phone_title")


@pytest.mark.parametrize(
    ("header", "language"),
    [("", "en"), ("zh", "zh"), ("de, zh;q=0.5", "zh"), ("en;q=0.3, zh-TW;q=0.8", "zh"), (";;q=,,zh;q=x", "en")],
)
def test_the_language_liked_best_is_spoken(header, language):
    assert preferred(header) == language


# Where phones find it


@pytest.mark.parametrize(
    ("headers", "scheme", "root_path", "address"),
    [
        ({"host": "10.0.0.7:7860"}, "http", "", "http://10.0.0.7:7860"),
        ({"host": "127.0.0.1:7860", "x-forwarded-host": "a.hf.space", "x-forwarded-proto": "https"}, "http", "",
         "https://a.hf.space"),
        ({"host": "x", "x-forwarded-host": "a.example, b", "x-forwarded-proto": "https,http"}, "http", "/vlm/",
         "https://a.example/vlm"),
        ({"host": "x"}, "http", "https://school.example/vlm/", "https://school.example/vlm"),
    ],
)  # fmt: skip
def test_the_address_is_the_one_that_the_browser_wrote(headers, scheme, root_path, address):
    assert base_address(headers, scheme, root_path) == address


def test_phones_are_sent_to_an_address_that_is_not_theirs_alone(monkeypatch):
    monkeypatch.setattr("vlm_core.app.audience_routes.own_address", lambda: "192.168.1.5")
    assert reach("https://lecture.example/vlm", "127.0.0.1") == Reach("https://lecture.example/vlm", True, None)
    lan = "http://192.168.1.5:7860/vlm"
    for host in ("localhost", "127.0.0.1", "[::1]", "0.0.0.0"):
        assert reach(f"http://{host}:7860/vlm", "0.0.0.0") == Reach(lan, True, lan)
        assert reach(f"http://{host}:7860/vlm", "127.0.0.1") == Reach(f"http://{host}:7860/vlm", False, lan)
    monkeypatch.setattr("vlm_core.app.audience_routes.own_address", lambda: None)
    assert reach("http://localhost:7860", "0.0.0.0") == Reach("http://localhost:7860", False, None)


def test_this_machine_s_own_address_is_one_of_a_network():
    assert own_address() is None or not own_address().startswith("127.")


# What the presenter sees


@pytest.fixture
def presenter(rooms, monkeypatch):
    """Over a model that says "a red star" of anything."""
    said = exhibit()
    tokens = [
        SimpleNamespace(text=word, attention=maps.reshape(2, 2, 14, 14))
        for word, maps in zip(said.words, said.maps, strict=True)
    ]
    vlm = SimpleNamespace(
        config=SimpleNamespace(patches=PATCHES, keys=PATCHES + 1, null_key=True),
        stream=lambda picture, language: iter(tokens),
    )
    exam = Exam((0, 0), 1, 1, 0.1, 1)
    speaker = speakers.Speaker(vlm, exam, "bundled", False)
    monkeypatch.setattr("vlm_core.app.panels.audience.speaking", lambda *asked: speaker)
    return Presenter(rooms, SimpleNamespace(runs=None))


def drawn():
    sheet = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(sheet).rectangle((50, 50, 125, 125), fill="red")
    return data_uri(sheet)


def test_a_lesson_from_opening_to_closing(presenter, rooms):
    key, *_ = presenter.open("", "en", OPEN, drawn(), "en", "run", "", None)
    code = code_of(rooms, key)
    *_, board, timer = presenter.view(key, "en", OPEN)
    assert code in board and "<svg" in board and timer.active
    rooms.tap(code, phone(1), 1, 20)
    assert ">1<" in presenter.count(key, "en", OPEN)[0]
    presenter.forward(key, "en", OPEN)
    assert rooms.look(key).word == 1 and not rooms.look(key).taps
    *_, board, _ = presenter.reveal(key, "en", OPEN, '{"head": "1.1"}')
    assert board.count("<figure>") == 3 and rooms.look(key).head == (1, 1)
    again, *_ = presenter.open(key, "en", OPEN, drawn(), "en", "run", "", None)
    assert again == key and code_of(rooms, key) == code  # the class stays in its room
    key, *_ = presenter.close(key, "zh", OPEN)
    assert key == "" and rooms.look(again) is None
    gone, timer = presenter.count(again, "zh", OPEN)
    assert text("zh", "audience_gone") in gone and not timer.active


def test_an_empty_canvas_opens_no_room(presenter, rooms):
    with pytest.raises(UserError, match="canvas is empty"):
        presenter.open("", "en", OPEN, None, "en", "run", "", None)
    assert not rooms._rooms


def answer(rooms, key, language="en"):
    return show_answer(rooms.look(key), language)


def test_class_and_model_are_held_against_the_truth_and_each_other(rooms, key):
    code = code_of(rooms, key)
    for voter, patch in ((1, 20), (2, 20), (3, 100)):
        rooms.tap(code, phone(voter), 1, patch)
    rooms.reveal(key, (0, 0))
    assert re.findall(r'data-hit="(\w+)"', answer(rooms, key)) == ["True", "True"]
    assert text("en", "audience_common", share="67%") in answer(rooms, key)
    assert text("en", "audience_mass", mass="67%", chance="1%") in answer(rooms, key)


def test_the_head_that_misses_is_said_to_miss(rooms, key):
    rooms.tap(code_of(rooms, key), phone(1), 1, 20)
    rooms.reveal(key, (1, 1))
    assert re.findall(r'data-hit="(\w+)"', answer(rooms, key)) == ["True", "False"]
    assert text("en", "audience_common", share="0%") in answer(rooms, key)


def test_a_class_of_two_minds_points_nowhere(rooms, key):
    for voter, patch in ((1, 20), (2, 21)):
        rooms.tap(code_of(rooms, key), phone(voter), 1, patch)
    rooms.reveal(key, (0, 0))
    assert text("zh", "audience_tie") in answer(rooms, key, "zh")


def test_what_nobody_knows_is_said_to_be_unknown(rooms):
    key = rooms.open(exhibit(touched=(None, None, None)))
    rooms.reveal(key, None)
    told = answer(rooms, key)
    assert text("en", "audience_unknown") in told and text("en", "audience_nobody") in told and "data-hit" not in told


@pytest.mark.parametrize(
    ("name", "head"),
    [("mean", None), ("1.1", (1, 1)), ("2.0", (0, 0)), ("", (0, 0)), ("x.y", (0, 0)), ("0.9", (0, 0)), ("²", (0, 0))],
)
def test_the_head_of_the_lens_is_taken_and_nonsense_is_not(name, head):
    assert head_named(name, 2, 2, otherwise=(0, 0)) == head
    assert head_named(name_head(head), 2, 2) == head


def test_where_phones_cannot_come_there_is_no_code_to_scan_but_a_way_out(rooms, key):
    room = rooms.look(key)
    shut = show_way_in(room, "en", Reach("http://127.0.0.1:7860", False, "http://192.168.1.5:7860"))
    assert "<svg" not in shut and "GRADIO_SERVER_NAME=0.0.0.0" in shut and "http://192.168.1.5:7860" in shut
    hostile = show_way_in(room, "en", Reach('http://x"><script>', True, None))
    assert "<script" not in hostile and "<svg" in hostile


def test_an_outline_runs_once_around_its_patches():
    assert len(re.findall("M", outline([0]))) == 4
    assert len(re.findall("M", outline([0, 1]))) == 6
    assert outline([]) == ""
