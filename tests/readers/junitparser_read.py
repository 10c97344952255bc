"""Reads a JUnit file with junitparser and prints what it understood as JSON."""

import json
import sys

from junitparser import Error, Failure, JUnitXml, Skipped

root = JUnitXml.fromfile(sys.argv[1])
suites = list(root)
cases = []
for suite in suites:
    for case in suite:
        results = case.result
        kinds = {Failure: "failure", Error: "error", Skipped: "skipped"}
        cases.append(
            {
                "name": case.name,
                "class": case.classname,
                "results": [kinds[type(result)] for result in results],
                "type": results[0].type if results else None,
                "message": results[0].message if results else None,
                "text": results[0].text if results else None,
            }
        )
print(
    json.dumps(
        {
            "root": [root.tests, root.failures, root.errors],
            "suites": [[s.name, s.tests, s.failures, s.errors, s.skipped] for s in suites],
            "properties": {p.name: p.value for s in suites for p in s.properties()},
            "cases": cases,
        }
    )
)
