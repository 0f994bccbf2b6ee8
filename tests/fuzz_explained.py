"""What Schemathesis finds and no one has to mend. Each row is a line of docs/fuzzing.md, and is there or fails."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

POSITIVE = "positive_data_acceptance"
AVAILABLE = "ensure_resource_availability"


@dataclass(frozen=True)
class Explained:
    """Findings of `check` at operations that fit `at`, whose answer (`400 {...`) and message have `says` in
    them, are no faults.
    """

    name: str
    check: str
    says: str
    why: str
    at: str = "*"

    def covers(self, check: str, operation: str, answer: str) -> bool:
        return (
            self.check == check
            and fnmatchcase(operation, self.at)
            and re.search(self.says, answer, re.DOTALL) is not None
        )


# A schema judges one value by itself. What is legal only beside another value, of a certain model, in a certain state,
# or for a text that follows a grammar, is refused with 400 all the same, here as there.
EXPLAINED = (
    # ---- what names something else
    Explained(
        "unknown-cursor", POSITIVE, r"^400 .*no item with id",
        "`after` and `before` are ids of the list; any other text is a string to the schema, and no place in the list.",
    ),
    Explained(
        "another-missing", AVAILABLE, r'^404 .*"param": "(file_id|file_ids|files)',
        "The 404 is about a File that the body names, not about the object in the path, which was just created.",
    ),
    Explained(
        "unknown-file", POSITIVE, r'^400 .*("code": "file_not_found"|No file found with id|No such part of)',
        "Files and parts are named that were never sent; deep in a body that is 400, not 404.", "POST /*",
    ),
    Explained(
        "unknown-model", POSITIVE, r'^400 .*"code": "(model_not_found|model_not_available)"',
        "Models are named that are not served, or not for this; most operations say 400 then, as published.", "POST /*",
    ),
    Explained(
        "unknown-response", POSITIVE, r'^400 .*"code": "(previous_response_not_found|conversation_not_found)"',
        "A turn goes on from a response that there is not; that is 400, as published.", "POST /responses*",
    ),
    Explained(
        "unknown-voice", POSITIVE, r'^400 .*"param": "(voice|audio.voice)"',
        "Voices have names, and custom ones ids: any string to the schema.", "POST /audio/speech",
    ),
    Explained(
        "unanswered-call", POSITIVE,
        r'^400 .*("param": "messages\[\d+\]|No tool (call|output) found|Items of type|values are: .output_text)',
        "Messages and items refer to each other, and what one may hold depends on who said it.", "POST /*",
    ),
    # ---- what depends on another field or on the model
    Explained(
        "chunk-overlap", POSITIVE, r"^400 .*is more than half of",
        "An overlap of at most half a chunk: one number bounded by another.", "* /vector_stores*",
    ),
    Explained(
        "not-this-model", POSITIVE,
        r'^400 .*("code": "(unsupported_parameter|unsupported_value|unknown_parameter)"|Value must be .dall-e-2|'
        r'"param": "(dimensions|quality|size|background|style|output_format|output_compression|moderation)")',
        "What one model refuses, another takes: parameters, sizes, qualities, formats.", "POST /*",
    ),
    Explained(
        "beside-another", POSITIVE,
        r"^400 .*(is only allowed when|is only supported with|needs response_format|best_of must be|Missing required "
        r"parameter: '(model|input|data_source.model|method\.\w+)'|must contain the word 'json'|"
        r"expected (an 'image_url' or a|one of '(file_data|image_url)')|"
        r"only supported for one image|Mutually exclusive)",
        "Fields that are legal, or required, beside a certain value of another field only.", "POST /*",
    ),
    Explained(
        "batch-name", POSITIVE, r"^400 .*Must be .jsonl",
        "The name of a file for batches ends in .jsonl, that of any other does not have to.", "POST /*",
    ),
    Explained(
        "not-what-was-said", POSITIVE, r"^400 .*(The md5 of the parts is|bytes in total, but the upload)",
        "An upload was announced with a size and perhaps a sum, and the parts are not that.", "POST /uploads/*",
    ),
    Explained(
        "over-already", POSITIVE, r"^400 .*(only a pending one|[Cc]annot (be )?cancel)",
        "What is completed or cancelled cannot be changed any more; that is 400, as published.", "POST /*",
    ),
    Explained(
        "expired", POSITIVE, r"^400 .*Container is expired",
        "A container that was made to expire after a minute did, while the run went on.", "* /containers/*",
    ),
    Explained(
        "too-long", POSITIVE,
        r'^400 .*"code": "(context_length_exceeded|max_tokens_per_request|string_above_max_length)"',
        "A limit in tokens, or one that depends on the model.", "POST /*",
    ),
    # ---- what is written in another grammar
    Explained(
        "no-grammar", POSITIVE,
        r'^400 .*("code": "invalid_(formula|grader|pattern|source|function_parameters|offer)"|Invalid schema for)',
        "A text that must follow a grammar of its own: a formula, a template, Python, a strict schema, SDP.", "POST /*",
    ),
    Explained(
        "no-words", POSITIVE, r"^400 .*(must be non-empty|empty array\.)",
        "Empty texts and lists that the official schema allows and the API refuses.", "POST /*",
    ),
    Explained(
        "no-medium", POSITIVE,
        r"^400 .*(audio file could not be decoded|Invalid image file|format must be PNG|Error while downloading|"
        r"Invalid base64|invalid_video_file)",
        "Bytes that are no sound, no picture, no film, or not there.", "POST /*",
    ),
    Explained(
        "no-file", POSITIVE, r"^400 .*(Could not parse multipart form: 'utf-8' codec|expected a file, but got)",
        "Where a form may hold one file or several, Schemathesis sends bytes without a file name: a text field.",
        "POST /*",
    ),
    # ---- what a schema only notes, and what cannot be sent
    Explained(
        "text-in-a-query", "negative_data_rejection", r"^2\d\d .*parameter `metadata` in query",
        "A number in a query is text on its way, which is what a value of `metadata` is to be.", "GET /*",
    ),
    Explained(
        "format-noted", "negative_data_rejection", r"^2\d\d .*Value not matching the 'uri' format",
        "`format` is a note in JSON Schema 2020-12, not a rule; what is no address fails when it is fetched.",
    ),
)  # fmt: skip


def explanation(check: str, operation: str, answer: str) -> str | None:
    """The name of the row that covers a finding, None when there is none."""
    spaced = re.sub(r'":(?=\S)', '": ', answer)  # JSON with spaces or without says the same
    return next((one.name for one in EXPLAINED if one.covers(check, operation, spaced)), None)


def table() -> str:
    """The rows as docs/fuzzing.md has them."""
    rows = [f"| {one.name} | `{one.check}` | `{one.at}` | {one.why} |" for one in EXPLAINED]
    return "\n".join(["| name | check | at | why it is no fault |", "|---|---|---|---|", *rows])
