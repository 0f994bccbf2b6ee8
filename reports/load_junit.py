"""junit.xml of a load run: one test case a threshold, and one for whether the run may be believed."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as Xml

FILE = "junit.xml"
# XML 1.0 has no place for other control characters, and a 429's text may hold them.
ALLOWED_CONTROLS = "\t\n\r"


def render(summary: dict[str, Any]) -> str:
    rulings, validity = summary["thresholds"], summary["validity"]
    suite = Xml.Element("testsuite", name=f"load {summary['profile']}", time=str(summary["wall_s"]))
    for ruling in rulings:
        case = Xml.SubElement(suite, "testcase", classname=f"load.{summary['profile']}", name=_clean(ruling["text"]))
        if ruling["kept"] is False:
            Xml.SubElement(case, "failure", message=_clean(ruling["why"]))
        elif ruling["kept"] is None:
            Xml.SubElement(case, "skipped", message=_clean(ruling["why"]))
    case = Xml.SubElement(suite, "testcase", classname=f"load.{summary['profile']}", name="the run is valid")
    if validity["verdict"] == "INVALID":
        Xml.SubElement(case, "error", message=_clean("; ".join(validity["reasons"])))
    suite.set("tests", str(len(rulings) + 1))
    for kind in ("failure", "skipped", "error"):
        suite.set({"failure": "failures", "error": "errors"}.get(kind, kind), str(len(suite.findall(f"*/{kind}"))))
    Xml.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(suite, encoding="unicode") + "\n"


def _clean(text: str) -> str:
    return "".join(c for c in text if c >= " " or c in ALLOWED_CONTROLS)
