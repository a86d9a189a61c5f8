"""docs/protocol is what the models say, and the golden files are what docs/protocol says."""

import json
import re
from pathlib import Path

import pytest

from protocol.published import MESSAGES, documents, write
from protocol.topics import EPOCH, UPLINK_FILTERS, BoxTopic, Leaf

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = ROOT / "docs/protocol"
GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": int | float,
}
NUMBERS = ("integer", "number")


def schema_of(name):
    return json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8"))


def faults(value, schema, whole, at="message"):
    """Yield what breaks the schema: of JSON Schema, the words that ours use."""
    if "$ref" in schema:
        schema = whole["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    if "anyOf" in schema and all(list(faults(value, one, whole, at)) for one in schema["anyOf"]):
        yield f"{at}: none of the forms it may have"
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{at}: none of the values it may have"
    kind = schema.get("type")
    if kind is None:
        return
    if not isinstance(value, TYPES[kind]) or (kind in NUMBERS and isinstance(value, bool)):
        yield f"{at}: not of type {kind}"
        return
    if kind in NUMBERS and not within(value, schema):
        yield f"{at}: out of bounds"
    if kind == "string" and not re.search(schema.get("pattern", ""), value):
        yield f"{at}: not of the pattern"
    for part, one, where in parts(value, schema):
        if part is None:
            yield f"{at}: without {where}"
        else:
            yield from faults(part, one, whole, f"{at}.{where}")


def within(value, schema):
    return schema.get("minimum", value) <= value <= schema.get("maximum", value)


def parts(value, schema):
    """Return what is in an object or array: the part, its schema, its name; None: it lacks."""
    if schema["type"] == "object":
        lacking = [name for name in schema.get("required", []) if name not in value]
        known = schema.get("properties", {})
        there = [(each, known.get(name, {}), name) for name, each in value.items()]
        return [*there, *((None, {}, name) for name in lacking)]
    if schema["type"] == "array":
        items = schema.get("prefixItems") or [schema["items"]] * len(value)
        return [(each, one, "item") for each, one in zip(value, items, strict=True)]
    return []


def test_the_docs_are_what_the_models_say(tmp_path):
    write(tmp_path)
    made = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in tmp_path.iterdir()}
    kept = {
        path.name: json.loads(path.read_text(encoding="utf-8")) for path in PUBLISHED.glob("*.json")
    }
    assert kept == made, "run: python -m protocol.published docs/protocol"


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_golden_file_is_as_its_schema_in_the_docs_says(path):
    schema = schema_of(".".join(path.stem.split(".")[:2]))
    assert list(faults(json.loads(path.read_bytes()), schema, schema)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 17},
        {"type": "cn.tanshao.alert.v2"},
        {"time": 5},
        {"data": {}},
        {"subject": "Square"},
        {"prevhash": "none"},
    ],
    ids=str,
)
def test_a_message_that_breaks_the_contract_breaks_its_schema(change):
    path = next(path for path in GOLDEN if path.stem == "alert.v1.start")
    schema = schema_of("alert.v1")
    assert list(faults(json.loads(path.read_bytes()) | change, schema, schema))


def test_every_message_has_its_schema_and_every_topic_its_channel():
    asyncapi = json.loads(documents()["asyncapi.json"])
    assert set(asyncapi["components"]["messages"]) == set(MESSAGES)
    addresses = {each["address"] for each in asyncapi["channels"].values()}
    leaves = {address.rpartition("/")[2] for address in addresses - {EPOCH}}
    for filter_ in UPLINK_FILTERS:
        assert filter_.replace("+", "{region}", 1).replace("+", "{box}") in addresses
    assert all(BoxTopic.parse(f"tanshao/v1/533102105203/box-01/{leaf}") for leaf in leaves)
    assert leaves == {str(leaf) for leaf in Leaf}
    assert EPOCH in addresses


def test_every_reference_of_the_asyncapi_document_leads_somewhere():
    asyncapi = json.loads(documents()["asyncapi.json"])
    found = re.findall(r'"\$ref": "([^"]+)"', documents()["asyncapi.json"])
    assert found
    for reference in found:
        if reference.startswith("./"):
            assert reference.removeprefix("./") in documents()
            continue
        node = asyncapi
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]


def test_a_sequence_is_published_as_what_is_sent():
    published = schema_of("alert.v1")["properties"]["sequence"]
    assert (published["type"], published["pattern"]) == ("string", "^[0-9]{19}$")
