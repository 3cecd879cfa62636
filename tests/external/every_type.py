"""Prints a module that has a service for every type in the tests of types. A value of the type is a field of the body,
and a parameter of the query.
"""

import json

with open("crates/rulebook-model/tests/data/types/cases.json", encoding="utf-8") as file:
    cases = json.load(file)

services = {}
for number, case in enumerate(cases):
    if "error" in case:
        continue
    value = {"info": "A value", "type": case["term"], **case.get("attributes", {})}
    info = f"A value of the type {case['term']}"
    methods = {"POST": {"info": info, "in": {"value": value}}}
    # A query cannot contain a file.
    if case["term"].lower() != "file":
        methods["GET"] = {"info": info, "in": {"GET@value": value}}
    services[f"every/{number}"] = methods
print(json.dumps({"module": "every", "/": services}, indent=2))
