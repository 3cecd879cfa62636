"""Prints all permissions that the operations of an OpenAPI document require, separated by commas.

The value of the parameter in a permission such as user[user_id] is 1: user[1].
"""

import json
import re
import sys

operations = [operation for item in json.load(sys.stdin)["paths"].values() for operation in item.values()]
requirements = [requirement for operation in operations for requirement in operation.get("security", [])]
roles = {role for requirement in requirements for role in requirement["bearer"]}
print(",".join(sorted({re.sub(r"\[[^\]]*\]", "[1]", role) for role in roles})))
