"""The headers of real pictures, read by our own few lines and made by an image library."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from wireproof.standin.media.pictures import Look, picture

LOOKS = {
    "png": Look(64, 48, "png"),
    "png with alpha": Look(64, 48, "png", transparent=True),
    "jpeg": Look(64, 48, "jpeg", 80),
    "webp": Look(64, 48, "webp", 80),
    "webp with alpha": Look(64, 48, "webp", 80, transparent=True),
    "gif": Look(64, 48, "gif", frames=3),
    "svg": Look(64, 48, "svg"),
}


@pytest.fixture(scope="module")
def pictures(contract: Callable[[str], ModuleType]) -> ModuleType:
    return contract("_pictures")


def encoded(mode: str, format: str, size: tuple[int, int] = (30, 20), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 0).save(out, format, **options)
    return out.getvalue()


@pytest.mark.parametrize("name", LOOKS)
def test_the_stand_ins_pictures_are_read(pictures: ModuleType, name: str) -> None:
    look = LOOKS[name]
    found = pictures.picture_in(picture("a boat", look))
    assert (found.format, found.size) == (look.format, "64x48")
    assert found.frames == min(2, look.frames)
    assert found.has_alpha or not look.transparent


OTHERS: dict[str, tuple[Callable[[], bytes], tuple[str, bool, int]]] = {
    "grey": (lambda: encoded("L", "PNG"), ("png", False, 1)),
    "grey with alpha": (lambda: encoded("LA", "PNG"), ("png", True, 1)),
    "a palette with a transparent colour": (lambda: encoded("P", "PNG", transparency=0), ("png", True, 1)),
    "a moving PNG": (
        lambda: encoded("RGB", "PNG", save_all=True, append_images=[Image.new("RGB", (30, 20), 9)]),
        ("png", False, 2),
    ),
    "a progressive JPEG": (lambda: encoded("RGB", "JPEG", progressive=True), ("jpeg", False, 1)),
    "a lossless WebP": (lambda: encoded("RGB", "WEBP", lossless=True), ("webp", False, 1)),
    "a moving WebP": (
        lambda: encoded("RGB", "WEBP", save_all=True, append_images=[Image.new("RGB", (30, 20), 99)]),
        ("webp", False, 2),
    ),
    "a still GIF": (lambda: encoded("P", "GIF"), ("gif", False, 1)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_encoders_are_read(pictures: ModuleType, name: str) -> None:
    make, wanted = OTHERS[name]
    found = pictures.picture_in(make())
    assert (found.format, found.has_alpha, found.frames) == wanted
    assert found.size == "30x20"


@pytest.mark.parametrize("name", LOOKS)
def test_a_picture_that_is_cut_off_is_none(pictures: ModuleType, name: str) -> None:
    data = picture("a boat", LOOKS[name])
    for kept in (len(data) // 2, len(data) // 8, 14):
        with pytest.raises(pictures.NoPicture):
            pictures.picture_in(data[:kept])


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"<html><body>busy</body></html>", b'{"error": 1}', b"RIFF\x04\0\0\0WAVE"]
)
def test_other_bytes_are_no_picture(pictures: ModuleType, data: bytes) -> None:
    with pytest.raises(pictures.NoPicture):
        pictures.picture_in(data)
