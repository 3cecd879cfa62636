"""Prints all permissions that the operations of an OpenAPI document require, separated by commas."""

import json
import sys

operations = [operation for item in json.load(sys.stdin)["paths"].values() for operation in item.values()]
requirements = [requirement for operation in operations for requirement in operation.get("security", [])]
print(",".join(sorted({role for requirement in requirements for role in requirement["bearer"]})))
