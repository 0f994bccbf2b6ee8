"""junit.xml: one test case a clause, one suite an area; what could not be tested is skipped, with the reason."""

from __future__ import annotations

from xml.etree import ElementTree as Xml

from wireproof.judge import Verdict
from wireproof.report import Report

FILE = "junit.xml"

# XML 1.0 has no place for other control characters, and answers may hold them.
ALLOWED_CONTROLS = "\t\n\r"


def render(report: Report) -> str:
    root = Xml.Element("testsuites", name=f"wireproof {report.target['base_url']}")
    for area in report.areas:
        suite = Xml.SubElement(root, "testsuite", name=area.name)
        for verdict in report.verdicts:
            if verdict.clause.area == area.name:
                _case(suite, verdict, report)
        for name, tag in (("tests", "testcase"), ("failures", ".//failure"), ("skipped", ".//skipped")):
            suite.set(name, str(len(suite.findall(tag))))
    Xml.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _case(suite: Xml.Element, verdict: Verdict, report: Report) -> None:
    clause = verdict.clause
    case = Xml.SubElement(suite, "testcase", classname=f"wireproof.{clause.area.replace(' ', '_')}", name=clause.id)
    if verdict.outcome == "fail" and verdict.unscored:
        Xml.SubElement(case, "skipped", message=_clean(f"fail, but {verdict.unscored}"))
    elif verdict.outcome == "fail":
        first = verdict.findings[0]
        failure = Xml.SubElement(
            case, "failure", type=clause.level, message=_clean(f"expected {first.expected}, got {first.got}")
        )
        failure.text = _clean("\n\n".join(_told(verdict, report)))
    elif verdict.outcome != "pass":
        Xml.SubElement(case, "skipped", message=_clean(f"{verdict.outcome}: {verdict.reason}"))


def _told(verdict: Verdict, report: Report) -> list[str]:
    return [verdict.clause.sentence] + [
        f"expected {finding.expected}\ngot      {finding.got}\nwhere    {finding.where}\n"
        f"again    {report.curl(finding.where.exchange)}"
        for finding in verdict.findings
    ]


def _clean(text: str) -> str:
    return "".join(c if (c >= " " and c not in "\ufffe\uffff") or c in ALLOWED_CONTROLS else "\ufffd" for c in text)
