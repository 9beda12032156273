#!/usr/bin/python3
"""Checks recorded Matrix traffic against the specification's OpenAPI files.

A record is a file of JSON lines, each {request: {method, path, query, body}, response: {status,
headers, body}}. Every request must be an endpoint of the specification with parameters and a body
that fit, every answer must fit the schema of its status. Events inside are checked too, by the
event schemas.

    openapi.py RECORD...           exit 0: all fits, 1: something does not (named)
    openapi.py --self-test RECORD  spoils the record in many ways; each must be noticed
"""

import argparse
import copy
import json
import os
import pathlib
import re
import sys
import urllib.parse

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)

ROOT = pathlib.Path(__file__).resolve().parents[2]
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# The older way to authorise, and habits of js-sdk.
IGNORED_QUERY = {"access_token", "_cacheBuster", "allow_redirect"}
PREFLIGHT = {"OPTIONS", "HEAD"}


class Spec:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.files = {}
        self.validators = {}
        self.routes = []
        for file in sorted((self.folder / "api" / "client-server").glob("*.yaml")):
            self.add_file(file)
        # A literal segment beats a parameter.
        self.routes.sort(key=lambda r: r["template"].count("{"))

    def load(self, path):
        path = str(path)
        if path not in self.files:
            with open(path, encoding="utf-8") as f:
                self.files[path] = yaml.load(f, Loader)
        return self.files[path]

    def add_file(self, file):
        doc = self.load(file)
        for server in doc.get("servers", []):
            base = server.get("variables", {}).get("basePath", {}).get("default", "")
            for template, item in doc.get("paths", {}).items():
                template = template.strip()  # two files share a path; one has a blank at its end
                for method, operation in item.items():
                    if method not in ("get", "put", "post", "delete"):
                        continue
                    pattern = re.sub(r"\{[^}]+\}", "([^/]+)", re.escape(base + template).replace(r"\{", "{").replace(r"\}", "}"))
                    if template.endswith("{stateKey}"):
                        pattern = pattern[: -len("([^/]+)")].rstrip("/") + "(?:/([^/]*))?"
                    self.routes.append({
                        "method": method.upper(), "template": base + template, "file": file,
                        "pattern": re.compile(pattern + "$"), "operation": operation,
                        "names": re.findall(r"\{([^}]+)\}", template),
                    })

    def resolve(self, node, file):
        """Follows $ref; returns (node, file it stands in)."""
        while isinstance(node, dict) and "$ref" in node:
            target, _, pointer = node["$ref"].partition("#")
            if target:
                file = (pathlib.Path(file).parent / urllib.parse.unquote(target)).resolve()
            node = self.load(file)
            for part in filter(None, pointer.split("/")):
                node = node[part.replace("~1", "/").replace("~0", "~")]
        return node, file

    def validator(self, schema, file):
        key = (id(schema), str(file))
        if key not in self.validators:
            resolver = jsonschema.RefResolver(
                base_uri=pathlib.Path(file).as_uri(), referrer=self.load(file),
                handlers={"file": lambda uri: self.load(urllib.parse.unquote(urllib.parse.urlparse(uri).path))})
            self.validators[key] = jsonschema.Draft202012Validator(schema, resolver=resolver)
        return self.validators[key]

    def faults(self, schema, file, value, where):
        for error in self.validator(schema, file).iter_errors(value):
            spot = "/".join(str(p) for p in error.absolute_path)
            yield f"{where}/{spot}: {error.message[:300]}"

    def find(self, method, path):
        """All operations of this path, or a word that says what is missing."""
        path = re.sub(r"^/_matrix/(client|media)/r0/", r"/_matrix/\1/v3/", path)
        fitting = [(r, m) for r in self.routes if (m := r["pattern"].match(path))]
        found = [(r, [urllib.parse.unquote(g or "") for g in m.groups()]) for r, m in fitting
                 if r["method"] == method]
        if not found:
            return "method" if fitting else "path"
        return [f for f in found if f[0]["template"] == found[0][0]["template"]]

    def event_schema(self, event):
        """The schema file of an event, or None."""
        kind = event.get("type")
        if not isinstance(kind, str) or "/" in kind:
            return None
        content = event.get("content")
        names = [kind]
        if isinstance(content, dict) and isinstance(content.get("msgtype"), str) and "/" not in content["msgtype"]:
            names.insert(0, f"{kind}${content['msgtype']}")
        for name in names:
            file = self.folder / "event-schemas" / "schema" / f"{name}.yaml"
            if file.exists():
                return file
        return None


def coerce(text, schema):
    kind = schema.get("type")
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    return text


def parameter_faults(spec, route, groups, query):
    declared = {}
    for raw in route["operation"].get("parameters", []):
        parameter, file = spec.resolve(raw, route["file"])
        schema, schema_file = spec.resolve(parameter.get("schema", {}), file)
        declared[(parameter["in"], parameter["name"])] = (parameter, schema, schema_file)
    for name, value in zip(route["names"], groups):
        if ("path", name) in declared:
            _, schema, file = declared[("path", name)]
            yield from spec.faults(schema, file, coerce(value, schema), f"path parameter {name}")
    for name in query:
        if name == "server_name" and ("query", "via") in declared:
            continue  # what `via` was called before 1.14: old servers know only this one
        if name not in IGNORED_QUERY and ("query", name) not in declared and not name.startswith("org.matrix."):
            yield f"query parameter {name} is not in the specification"
    for (place, name), (parameter, schema, file) in declared.items():
        if place != "query":
            continue
        if name not in query:
            if parameter.get("required"):
                yield f"query parameter {name} is missing"
            continue
        if schema.get("type") == "array":
            values = query[name]
        elif len(query[name]) > 1:
            yield f"query parameter {name} comes {len(query[name])} times"
            continue
        else:
            values = coerce(query[name][0], schema)
        yield from spec.faults(schema, file, values, f"query parameter {name}")


def json_schema_of(spec, node, file):
    """(schema, file, is JSON expected) of a request body or a response."""
    node, file = spec.resolve(node, file)
    content = node.get("content", {})
    for kind, media in content.items():
        if kind == "application/json" and "schema" in media:
            return media["schema"], file, True
    return None, file, "application/json" in content


def event_faults(spec, value, where):
    """Checks everything inside that looks like an event of a room against its own schema."""
    if isinstance(value, list):
        for i, part in enumerate(value):
            yield from event_faults(spec, part, f"{where}/{i}")
    elif isinstance(value, dict):
        if "type" in value and "content" in value and "event_id" in value and value["content"]:
            file = spec.event_schema(value)
            if file is not None:
                whole = value if "room_id" in value else dict(value, room_id="!left:out")
                yield from spec.faults(spec.load(file), file, whole, where)
        for key, part in value.items():
            if key not in ("content", "prev_content"):
                yield from event_faults(spec, part, f"{where}/{key}")


def sent_content_faults(spec, route, groups, body):
    """What a client puts into a room by send or state must fit the event's schema as well."""
    if route["method"] != "PUT" or not re.search(r"/rooms/\{roomId\}/(send|state)/", route["template"]):
        return
    kind = groups[1]
    file = spec.event_schema({"type": kind, "content": body})
    if file is None or not isinstance(body, dict) or not body:
        return
    event = {"type": kind, "content": body, "event_id": "$x", "sender": "@x:y", "room_id": "!x:y",
             "origin_server_ts": 0}
    if "/state/" in route["template"]:
        event["state_key"] = groups[2] if len(groups) > 2 else ""
    yield from spec.faults(spec.load(file), file, event, "event of the request")


def check(spec, entry):
    request, response = entry["request"], entry["response"]
    if request["method"] in PREFLIGHT:
        return []
    found = spec.find(request["method"], request["path"])
    if isinstance(found, str):
        wanted = 405 if found == "method" else 404
        body = response.get("body")
        if response["status"] in (wanted, 400) and isinstance(body, dict) and body.get("errcode") == "M_UNRECOGNIZED":
            return []
        return [f"not in the specification, yet answered {response['status']}"]
    # An invitation by id and one by mail have the same path: the better fit counts.
    return min((list(operation_faults(spec, route, groups, request, response)) for route, groups in found), key=len)


def operation_faults(spec, route, groups, request, response):
    status, body = response["status"], response.get("body")
    refused = status >= 400
    query = request.get("query") or {}
    if isinstance(query, str):
        query = urllib.parse.parse_qs(query, keep_blank_values=True)
    else:
        query = {k: [str(v).lower() if isinstance(v, bool) else str(v)] for k, v in query.items()}
    # A request that was refused may be wrong on purpose.
    if not refused:
        yield from parameter_faults(spec, route, groups, query)
        if "requestBody" in route["operation"]:
            schema, file, _ = json_schema_of(spec, route["operation"]["requestBody"], route["file"])
            if schema is not None:
                sent = request.get("body")
                yield from spec.faults(schema, file, {} if sent is None else sent, "request body")
                yield from sent_content_faults(spec, route, groups, sent)
    responses = {str(k): v for k, v in route["operation"].get("responses", {}).items()}
    if str(status) in responses:
        schema, file, is_json = json_schema_of(spec, responses[str(status)], route["file"])
        if is_json and not isinstance(body, (dict, list)):
            yield "the answer is not JSON"
        elif schema is not None:
            yield from spec.faults(schema, file, body, "answer")
    elif not refused:
        yield f"status {status} is not in the specification"
    if refused and status != 401 and not (isinstance(body, dict) and isinstance(body.get("errcode"), str)
                                          and isinstance(body.get("error"), str)):
        yield "an error without errcode and error"
    if not refused:
        yield from event_faults(spec, body, "answer")


def read_record(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    if path.endswith(".json"):
        return [json.loads(text)]
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def validate(spec, entries):
    bad = 0
    for number, entry in enumerate(entries, 1):
        for fault in check(spec, entry):
            bad += 1
            print(f"{number}: {entry['request']['method']} {entry['request']['path']} "
                  f"→ {entry['response']['status']}: {fault}")
    return bad


def spoiled(entry):
    """Copies of a good exchange, each with one thing wrong."""
    def change(act):
        wrong = copy.deepcopy(entry)
        act(wrong)
        return wrong

    path, body = entry["request"]["path"], entry["response"]["body"]
    if not isinstance(body, dict) or entry["response"]["status"] != 200:
        return
    if path.endswith("/sync"):
        yield change(lambda e: e["response"]["body"].pop("next_batch"))
        yield change(lambda e: e["response"]["body"].update(next_batch=7))
        for room in body.get("rooms", {}).get("join", {}):
            def in_room(act, room=room):
                return change(lambda e: act(e["response"]["body"]["rooms"]["join"][room]))
            yield in_room(lambda r: r["timeline"].update(limited="no"))
            if body["rooms"]["join"][room]["timeline"]["events"]:
                yield in_room(lambda r: r["timeline"]["events"][0].pop("event_id"))
                yield in_room(lambda r: r["timeline"]["events"][0].update(sender=7))
                yield in_room(lambda r: r["timeline"]["events"][0].update(origin_server_ts="now"))
            break
        yield change(lambda e: e["request"].update(query="timeout=soon"))
        yield change(lambda e: e["request"].update(query="tiemout=1"))
    if path.endswith("/createRoom"):
        yield change(lambda e: e["response"]["body"].pop("room_id"))
        yield change(lambda e: e["request"]["body"].update(invite="@a:b"))
        yield change(lambda e: e["request"]["body"].update(preset="sesame"))
    if "/send/m.room.message/" in path:
        yield change(lambda e: e["request"]["body"].pop("msgtype"))
        yield change(lambda e: e["response"].update(body={}))
        yield change(lambda e: e["request"].update(path=path.replace("/send/", "/sent/")))
        yield change(lambda e: e["response"].update(status=418, body={"no": "error"}))


def self_test(spec, entries):
    total = missed = 0
    for entry in entries:
        if check(spec, entry):
            continue
        for wrong in spoiled(entry):
            total += 1
            if not check(spec, wrong):
                missed += 1
                print("not noticed: " + json.dumps(wrong)[:300])
    print(f"self-test: {total} spoiled exchanges, {total - missed} noticed")
    return missed if total else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", nargs="+")
    parser.add_argument("--spec", default=str(ROOT.parent / "shared" / "data" / "matrix-spec"))
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if not os.path.isdir(args.spec):
        print(f"skipped: no specification in {args.spec}")
        return 0
    spec = Spec(args.spec)
    entries = [e for path in args.records for e in read_record(path)]
    if not entries:
        print("the record is empty")
        return 1
    if args.self_test:
        return 1 if self_test(spec, entries) else 0
    bad = validate(spec, entries)
    print(f"{len(entries)} exchanges, {bad} faults")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
