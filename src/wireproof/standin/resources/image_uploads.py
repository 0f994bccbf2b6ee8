"""The pictures that edits and variations begin with, checked: formats, sizes, masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wireproof.standin.call import Call, Upload
from wireproof.standin.catalogue import Model
from wireproof.standin.image_orders import check, family
from wireproof.standin.media.pictures import Unreadable, format_of, opened
from wireproof.standin.references import referred
from wireproof.standin.refusals import Refused, invalid
from wireproof.standin.world import World

MB = 1 << 20
# Source: spec and SDK, the words on `image` and `mask`.
MOST_CLASSIC_BYTES, MOST_MASK_BYTES, MOST_BYTES = 4 * MB, 4 * MB, 50 * MB
FORMATS = ("png", "jpeg", "webp")
# Modes of Pillow that have, or may have, transparent pixels.
WITH_ALPHA = ("RGBA", "LA", "PA")


@dataclass(frozen=True, slots=True)
class Originals:
    """`sizes` are width and height of the pictures, in their order."""

    pictures: tuple[bytes, ...]
    sizes: tuple[tuple[int, int], ...]
    mask: bytes | None = None
    markup: bytes | None = None


def originals(world: World, call: Call, model: Model) -> Originals:
    """What an edit starts from, of a form or of JSON."""
    body = call.body
    if "images" in body:
        found = [referred(world, one, f"images[{at}]") for at, one in enumerate(body["images"])]
        mask = referred(world, body["mask"], "mask") if body.get("mask") else None
    else:
        given = body["image"] if isinstance(body["image"], list) else [body["image"]]
        found = [_data(one, "image") for one in given]
        mask = _data(body["mask"], "mask") if body.get("mask") is not None else None
    markup = _data(body["markup"], "markup") if body.get("markup") is not None else None
    param = "images" if "images" in body else "image"
    sizes = tuple(_size(data, f"{param}[{at}]" if len(found) > 1 else param) for at, data in enumerate(found))
    if family(model).is_classic:
        if len(found) > 1:
            raise invalid(f"{model.id} edits one image at a time.", param, "invalid_value")
        _check_classic(found[0], sizes[0], param, is_masked=mask is not None)
    if mask is not None and markup is not None:
        raise invalid("'markup' cannot be combined with 'mask'.", "markup", "invalid_value")
    for name, layer in (("mask", mask), ("markup", markup)):
        if layer is not None:
            _check_layer(layer, sizes[0], name)
    return Originals(tuple(found), sizes, mask, markup)


def varied_original(call: Call, model: Model) -> bytes:
    """What a variation starts from. Refused: another model than dall-e-2, anything but a small square PNG."""
    if model.id != "dall-e-2":
        raise invalid(f"Invalid value: '{model.id}'. Value must be 'dall-e-2'.", "model", "invalid_value")
    check(call.body, model)
    data = _data(call.body["image"], "image")
    _check_classic(data, _size(data, "image"), "image", is_masked=True)
    return data


def _data(given: Any, param: str) -> bytes:
    if not isinstance(given, Upload):
        raise invalid(f"Invalid type for '{param}': expected a file, but got a string instead.", param, "invalid_type")
    return given.data


def _size(data: bytes, param: str) -> tuple[int, int]:
    """Width and height. Refused: too many bytes, no picture, none of FORMATS, broken."""
    if len(data) >= MOST_BYTES:
        raise invalid(f"Invalid '{param}': image files must be less than 50 MB.", param, "image_too_large")
    try:
        if format_of(data) not in FORMATS:
            raise Unreadable
        return opened(data).size
    except Unreadable:
        raise _unreadable(param) from None


def _unreadable(param: str) -> Refused:
    return invalid(f"Invalid image file or mode for '{param}', please check your image file.", param,
                   "invalid_image_file")  # fmt: skip


def _check_classic(data: bytes, size: tuple[int, int], param: str, *, is_masked: bool) -> None:
    if format_of(data) != "png":
        raise invalid("Invalid input image - format must be PNG.", param, "invalid_image_format")
    if len(data) >= MOST_CLASSIC_BYTES:
        raise invalid("Uploaded image must be a PNG and less than 4 MB.", param, "image_too_large")
    if size[0] != size[1]:
        raise invalid("Uploaded image must be square.", param, "invalid_image_size")
    if not is_masked and not _has_alpha(data):
        raise invalid("Invalid input image - without a mask it must have transparent areas.", param,
                      "invalid_image_format")  # fmt: skip


def _check_layer(data: bytes, size: tuple[int, int], name: str) -> None:
    """A mask or a markup: a PNG as large as the first picture, with an alpha channel."""
    if len(data) >= MOST_MASK_BYTES:
        raise invalid(f"Invalid '{name}': it must be less than 4 MB.", name, "image_too_large")
    found = _size(data, name)
    if format_of(data) != "png":
        raise invalid(f"Invalid {name} image - format must be PNG.", name, "invalid_image_format")
    if found != size:
        raise invalid(f"Invalid {name} image - it must be {size[0]}x{size[1]} as the image is, but is "
                      f"{found[0]}x{found[1]}.", name, "invalid_image_size")  # fmt: skip
    if not _has_alpha(data):
        raise invalid(f"Invalid {name} image - it must have an alpha channel.", name, "invalid_image_format")


def _has_alpha(data: bytes) -> bool:
    image = opened(data)
    return image.mode in WITH_ALPHA or "transparency" in image.info
