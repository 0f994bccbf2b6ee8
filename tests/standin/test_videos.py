"""Films that are made while the clock runs, fetched while they last, and made again from one another."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from standin import asking

from wireproof.standin.backend import Backend, Setup
from wireproof.standin.media.films import Footage, film, watched
from wireproof.standin.resources.videos import CONTENT_LIFE_S
from wireproof.standin.wire import Answer

LONG_S = 60.0


class Studio:
    """A backend and its clock."""

    def __init__(self) -> None:
        self.clock = asking.Clock()
        self.backend: Backend = asking.backend(clock=self.clock)

    def get(self, path: str, **query: str) -> Answer:
        return self.backend.answer(asking.ask("GET", path, **query))

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        answer = asking.post(path, body, self.backend)
        assert answer.status == status, answer.body
        return answer.json

    def form(self, path: str, status: int = 200, **fields: Any) -> Any:
        named = {name: ("in.bin", one) if isinstance(one, bytes) else one for name, one in fields.items()}
        answer = self.backend.answer(asking.form(path, named))
        assert answer.status == status, answer.body
        return answer.json

    def ordered(self, prompt: str = "A lighthouse", **fields: Any) -> dict[str, Any]:
        return dict(self.post("/videos", {"prompt": prompt, **fields}))

    def finished(self, order: dict[str, Any]) -> dict[str, Any]:
        self.clock.now += LONG_S
        return dict(self.get(f"/videos/{order['id']}").json)


@pytest.fixture
def studio() -> Studio:
    return Studio()


def test_a_film_is_queued_then_under_way_then_completed(studio: Studio) -> None:
    order = studio.ordered()
    assert (order["status"], order["progress"]) == ("queued", 0)
    assert (order["model"], order["size"], order["seconds"]) == ("sora-2", "720x1280", "4")
    seen = [("queued", 0)]
    while seen[-1][0] != "completed":
        studio.clock.now += 0.5
        told = studio.get(f"/videos/{order['id']}").json
        if (told["status"], told["progress"]) != seen[-1]:
            seen.append((told["status"], told["progress"]))
    assert seen == [("queued", 0), *(("in_progress", at) for at in (0, 20, 40, 60, 80)), ("completed", 100)]
    assert told["completed_at"] - told["created_at"] == 11
    assert told["expires_at"] == told["completed_at"] + CONTENT_LIFE_S


@pytest.mark.parametrize(
    ("fields", "size", "seconds"),
    [
        ({"seconds": "8", "size": "1280x720"}, (1280, 720), 8),
        ({"model": "sora-2-pro", "size": "1024x1792"}, (1024, 1792), 4),
    ],
    ids=str,
)
def test_the_content_is_a_film_of_the_size_and_the_length(
    studio: Studio, fields: dict[str, str], size: tuple[int, int], seconds: int
) -> None:
    order = studio.ordered(**fields)
    studio.finished(order)
    answer = studio.get(f"/videos/{order['id']}/content")
    assert answer.header("content-type") == "video/mp4"
    assert watched(answer.body) == (*size, float(seconds))


@pytest.mark.parametrize(
    ("variant", "media_type", "format"),
    [("thumbnail", "image/webp", "WEBP"), ("spritesheet", "image/jpeg", "JPEG")],
)
def test_the_variants_are_pictures(studio: Studio, variant: str, media_type: str, format: str) -> None:
    order = studio.ordered()
    studio.finished(order)
    answer = studio.get(f"/videos/{order['id']}/content", variant=variant)
    image = Image.open(io.BytesIO(answer.body))
    image.load()
    assert (answer.header("content-type"), image.format) == (media_type, format)
    assert studio.get(f"/videos/{order['id']}/content", variant="poster").status == 400


def test_there_is_no_content_before_the_end_nor_after_it_has_expired(studio: Studio) -> None:
    order = studio.ordered()
    assert studio.get(f"/videos/{order['id']}/content").status == 404
    done = studio.finished(order)
    studio.clock.now = done["expires_at"]
    assert studio.get(f"/videos/{order['id']}/content").status == 404
    assert studio.get(f"/videos/{order['id']}").json == done


def test_a_film_goes_on_being_made_after_a_restart(tmp_path: Path) -> None:
    clock = asking.Clock()
    setup = Setup(state=tmp_path / "state.db")
    first = asking.backend(setup, clock)
    order = asking.post("/videos", {"prompt": "A lighthouse"}, first).json
    first.close()
    clock.now += LONG_S
    second = asking.backend(setup, clock)
    assert second.answer(asking.ask("GET", f"/videos/{order['id']}")).json["status"] == "completed"
    assert watched(second.answer(asking.ask("GET", f"/videos/{order['id']}/content")).body) == (720, 1280, 4.0)
    second.close()


def test_a_harmful_prompt_fails_once_it_is_looked_at(studio: Studio) -> None:
    order = studio.ordered("A bloody knife")
    assert order["status"] == "queued"
    told = studio.finished(order)
    assert (told["status"], told["error"]["code"]) == ("failed", "moderation_blocked")
    assert studio.get(f"/videos/{order['id']}/content").status == 404


def test_films_are_listed_newest_first_page_by_page(studio: Studio) -> None:
    made = [studio.ordered(f"Scene {number}")["id"] for number in range(5)]
    first = studio.get("/videos", limit="2").json
    assert [film["id"] for film in first["data"]] == [made[4], made[3]]
    assert (first["first_id"], first["last_id"], first["has_more"]) == (made[4], made[3], True)
    rest = studio.get("/videos", after=first["last_id"]).json
    assert [film["id"] for film in rest["data"]] == made[2::-1]
    assert rest["has_more"] is False
    assert [film["id"] for film in studio.get("/videos", order="asc").json["data"]] == made


def test_a_deleted_film_is_gone_and_nothing_happens_to_it_any_more(studio: Studio) -> None:
    order = studio.ordered()
    answer = studio.backend.answer(asking.ask("DELETE", f"/videos/{order['id']}"))
    assert answer.json == {"id": order["id"], "object": "video.deleted", "deleted": True}
    studio.clock.now += LONG_S
    assert studio.get(f"/videos/{order['id']}").status == 404
    assert studio.get("/videos").json["data"] == []
    assert studio.backend.answer(asking.ask("DELETE", f"/videos/{order['id']}")).status == 404


def test_a_remix_names_its_source_and_shows_something_else(studio: Studio) -> None:
    source = studio.ordered(seconds="8")
    studio.post(f"/videos/{source['id']}/remix", {"prompt": "At night"}, status=400)
    studio.finished(source)
    remix = studio.post(f"/videos/{source['id']}/remix", {"prompt": "At night"})
    assert (remix["remixed_from_video_id"], remix["seconds"], remix["status"]) == (source["id"], "8", "queued")
    studio.finished(remix)
    one, other = (studio.get(f"/videos/{id}/content").body for id in (source["id"], remix["id"]))
    assert watched(one) == watched(other)
    assert one != other
    studio.post("/videos/video_none/remix", {"prompt": "At night"}, status=404)


def test_an_edit_is_as_long_as_its_source_and_an_extension_longer(studio: Studio) -> None:
    source = studio.ordered(size="1280x720")
    studio.finished(source)
    edit = studio.post("/videos/edits", {"video": {"id": source["id"]}, "prompt": "At night"})
    assert (edit["seconds"], edit["size"]) == ("4", "1280x720")
    extension = studio.form("/videos/extensions", **{"video[id]": source["id"]}, prompt="On and on", seconds="16")
    assert extension["seconds"] == "20"
    studio.finished(extension)
    assert watched(studio.get(f"/videos/{extension['id']}/content").body) == (1280, 720, 20.0)


def test_a_film_that_was_sent_along_can_be_edited_and_extended(studio: Studio) -> None:
    sent = film(Footage((("mine", 3),), 320, 180))
    assert studio.form("/videos/edits", video=sent, prompt="At night")["seconds"] == "3"
    extension = studio.form("/videos/extensions", video=sent, prompt="On and on", seconds="4")
    assert (extension["seconds"], extension["size"]) == ("7", "1280x720")


def test_a_character_is_kept_under_its_name(studio: Studio) -> None:
    made = studio.form("/videos/characters", video=film(Footage((("mine", 3),), 320, 180)), name="Ada")
    assert made["name"] == "Ada"
    assert studio.get(f"/videos/characters/{made['id']}").json == made
    assert studio.get("/videos/characters/char_none").status == 404
    studio.form("/videos/characters", status=400, video=b"no film", name="Ada")
    studio.form("/videos/characters", status=400, video="text", name="Ada")


def test_a_picture_that_a_film_begins_with_changes_it(studio: Studio) -> None:
    out = io.BytesIO()
    Image.new("RGB", (72, 128), (9, 9, 9)).save(out, "PNG")
    plain = studio.ordered()
    begun = studio.form("/videos", prompt="A lighthouse", input_reference=out.getvalue())
    studio.finished(begun)
    one, other = (studio.get(f"/videos/{film['id']}/content", variant="thumbnail").body for film in (plain, begun))
    assert one != other
    studio.form("/videos", status=400, prompt="A lighthouse", input_reference=b"no picture")
    studio.form("/videos", status=400, prompt="A lighthouse", input_reference="text")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"prompt": ""}, 400),
        ({"prompt": "x", "seconds": "6"}, 400),
        ({"prompt": "x", "seconds": 4}, 400),
        ({"prompt": "x", "size": "1024x1792"}, 400),
        ({"prompt": "x", "size": "100x100"}, 400),
        ({"prompt": "x", "model": "gpt-4.1-mini"}, 404),
        ({"prompt": "x", "input_reference": {}}, 400),
        ({"prompt": "x", "input_reference": {"file_id": "file-none"}}, 404),
        ({"prompt": "x", "input_reference": {"image_url": "https://example.org/a.png"}}, 400),
    ],
    ids=str,
)
def test_what_cannot_be_filmed_is_refused(studio: Studio, body: dict[str, Any], status: int) -> None:
    studio.post("/videos", body, status=status)
