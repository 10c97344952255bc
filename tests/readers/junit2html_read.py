"""Reads a JUnit file with junit2html's parser and prints what it understood as JSON."""

import json
import sys

from junit2htmlreport.parser import Junit

report = Junit(filename=sys.argv[1])
cases = []
for suite in report.suites:
    for case in suite.all():
        cases.append(
            {
                "name": case.name,
                "class": case.testclass.name,
                "outcome": case.outcome(),
                "message": case.failure_msg,
                "text": case.failure,
            }
        )
print(
    json.dumps(
        {
            "suites": [[s.name, len(s.all()), len(s.failed()), len(s.skipped())] for s in report.suites],
            "properties": {p.name: p.value for s in report.suites for p in s.properties},
            "cases": cases,
            "html": report.html(),
        }
    )
)
