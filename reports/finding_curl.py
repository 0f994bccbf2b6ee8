"""<clause>.sh: the request again, as a curl line."""

from __future__ import annotations

from wireproof.exhibit import Exhibit
from wireproof.report import curl

FILE = "finding.sh"


def render(exhibit: Exhibit) -> str:
    return "\n".join(
        [
            "#!/bin/sh",
            f"# {exhibit.clause.level} {exhibit.clause.id}: {exhibit.clause.sentence}",
            f"# {exhibit.told}",
            curl(exhibit.exchange, exhibit.base_url, exhibit.key_variable),
            "",
        ]
    )
