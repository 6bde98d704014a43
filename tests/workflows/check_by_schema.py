"""Checks YAML files by a JSON Schema: check_by_schema.py SCHEMA FILE...

Of each file a line with its name, then a line for each mistake: where it is, and the keyword of the
schema that is not met. Where the file is no YAML, `no YAML`. YAML is read by the core schema of
YAML 1.2, as editors and canorun do; PyYAML alone would read 1.1, where `yes` is true.
"""

import json
import re
import sys

import jsonschema
import yaml


class CoreLoader(yaml.SafeLoader):
    """Keys are texts, as in JSON."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


def integer(loader, node):
    return int(node.value, 0 if node.value.startswith("0") and not node.value.isdigit() else 10)


def resolve(tag, pattern, construct=None):
    CoreLoader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile(pattern), None)
    if construct:
        CoreLoader.add_constructor("tag:yaml.org,2002:" + tag, construct)


def map_of(loader, node):
    return loader.construct_mapping(node)


resolve("null", r"^(~|null|Null|NULL|)\Z")
resolve("bool", r"^(true|True|TRUE|false|False|FALSE)\Z")
resolve("int", r"^([-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z", integer)
resolve("float", r"^([-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\Z")
CoreLoader.add_constructor("tag:yaml.org,2002:map", map_of)


def pattern(validator, wanted, text, schema):
    """JSON Schema has the `$` of ECMAScript, which Python writes `\\Z`: its own also matches before a last line break."""
    if not validator.is_type(text, "string"):
        return
    ours = re.sub(r"\\.|\[[^]]*\]|\$", lambda part: r"\Z" if part[0] == "$" else part[0], wanted)
    if not re.search(ours, text):
        yield jsonschema.ValidationError(f"{text!r} does not match {wanted!r}")


Validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": pattern})


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = Validator(schema)
    for path in sys.argv[2:]:
        print(path)
        try:
            with open(path, "rb") as file:
                flow = yaml.load(file, CoreLoader)
        except (yaml.YAMLError, UnicodeError):
            print("  no YAML")
            continue
        errors = {("/" + "/".join(str(part) for part in e.absolute_path), e.validator) for e in validator.iter_errors(flow)}
        for place, keyword in sorted(errors):
            print(f"  {place} {keyword}")


main()
