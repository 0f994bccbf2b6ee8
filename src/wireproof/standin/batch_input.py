"""The file of requests of a batch: read line by line, refused as a whole with every reason and its line.

Codes as Azure's documentation of the same API lists them, which is where they are written down: `empty_file`,
`invalid_json_line`, `invalid_request`, `duplicate_custom_id`, `url_mismatch`, `model_mismatch`, `model_not_found`,
`too_many_tasks`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from wireproof.spec import load_spec
from wireproof.standin.refusals import Refused
from wireproof.standin.requests import body_of, refused
from wireproof.standin.sizes import Sizes
from wireproof.standin.tokens import estimate

# As many reasons as a reader will want; the API does not say how many it gives.
MOST_ERRORS = 100

Request = dict[str, Any]
Error = dict[str, Any]


@dataclass(frozen=True)
class BatchInput:
    """`requests` are lines `{custom_id, method, url, body}`; `model` that of all of them; `tokens` as enqueued."""

    requests: list[Request]
    errors: list[Error]
    model: str | None
    tokens: int


def read(data: bytes, endpoint: str, models: Collection[str], sizes: Sizes) -> BatchInput:
    if len(data) > sizes.batch_bytes:
        return _failed(f"The input file has {len(data)} bytes, at most {sizes.batch_bytes} are taken.")
    requests: list[Request] = []
    errors: list[Error] = []
    seen: set[str] = set()
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        request, found = _line(line)
        if request is not None:
            first = requests[0] if requests else request
            found = list(_misfits(request, first, endpoint, models, seen))
            seen.add(request["custom_id"])
            requests.append(request)
        errors += [{**error, "line": number} for error in found]
        if len(errors) >= MOST_ERRORS:
            break
    if not requests and not errors:
        return _failed("The input file is empty.", "empty_file")
    if not errors:
        errors = list(_too_much(requests, sizes))
    model = requests[0]["body"].get("model") if requests else None
    return BatchInput(requests, errors[:MOST_ERRORS], model if isinstance(model, str) else None, estimate(len(data)))


def error(code: str, message: str, param: str | None = None) -> Error:
    return {"code": code, "message": message, "param": param, "line": None}


def _failed(message: str, code: str = "invalid_request") -> BatchInput:
    return BatchInput([], [error(code, message)], None, 0)


def _line(line: bytes) -> tuple[Request | None, list[Error]]:
    """The request, or why it is none."""
    try:
        request = body_of(line)
    except Refused:
        return None, [error("invalid_json_line", "This line is not parseable as valid JSON.")]
    breach = next(load_spec().schema("BatchRequestLine").violations(request), None)
    if breach is None:
        return request, []
    told = refused(breach, request).answer.json["error"]
    return None, [error("invalid_request", told["message"], told["param"])]


def _misfits(
    request: Request, first: Request, endpoint: str, models: Collection[str], seen: Collection[str]
) -> Iterator[Error]:
    """Why a request does not go with the batch, or with the requests before it."""
    id, url, model = request["custom_id"], request["url"], request["body"].get("model")
    if id in seen:
        yield error("duplicate_custom_id", f"The custom_id '{id}' is used by more than one request.", "custom_id")
    if url != endpoint:
        yield error("url_mismatch", f"The url '{url}' does not match the endpoint of the batch, '{endpoint}'.", "url")
    if model != first["body"].get("model"):
        yield error("model_mismatch", f"The model '{model}' differs from that of the first request, "
                    f"'{first['body'].get('model')}': a batch has one model.", "body.model")  # fmt: skip
    elif isinstance(model, str) and model not in models:
        yield error("model_not_found", f"The model '{model}' does not exist.", "body.model")


def _too_much(requests: list[Request], sizes: Sizes) -> Iterator[Error]:
    if len(requests) > sizes.batch_requests:
        yield error("too_many_tasks", f"The input file has {len(requests)} requests, at most {sizes.batch_requests} "
                    "are taken.")  # fmt: skip
    inputs = [request["body"].get("input") for request in requests if request["url"] == "/v1/embeddings"]
    total = sum(len(one) if isinstance(one, list) and one and not isinstance(one[0], int) else 1 for one in inputs)
    if total > sizes.batch_embedding_inputs:
        yield error("too_many_tasks", f"The requests have {total} inputs to embed, at most "
                    f"{sizes.batch_embedding_inputs} are taken.")  # fmt: skip
