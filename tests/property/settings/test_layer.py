"""What is laid over a configuration file, for any file and any changes."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge.settings.layer import Layer, laid_over, layer_of

FOLDER = Path("/data/settings")

ids = st.sampled_from(["gate", "road", "pond", "mill"])
values = st.text("ab村", max_size=3)
cameras = st.builds(lambda of, name: {"id": of, "name": name}, ids, values)
camera_lists = st.lists(cameras, max_size=4, unique_by=lambda camera: camera["id"])
sections = st.dictionaries(
    st.sampled_from(["recording", "detect"]),
    st.dictionaries(st.sampled_from(["enabled"]), st.booleans(), max_size=1),
    max_size=2,
)
documents = st.builds(
    lambda own, listed: own | ({"cameras": listed} if listed else {}), sections, camera_lists
)
#: A change: a camera saved or removed, or a key tuned.
changes = st.lists(
    st.one_of(
        st.tuples(st.just("save"), cameras),
        st.tuples(st.just("remove"), ids),
        st.tuples(st.just("tune"), sections),
    ),
    max_size=8,
)


def changed(document, steps) -> Layer:
    layer = Layer()
    in_file = {camera["id"] for camera in document.get("cameras", ())}
    for kind, what in steps:
        if kind == "save":
            layer = layer.with_camera(what)
        elif kind == "remove":
            layer = layer.without_camera(what, is_in_file=what in in_file)
        else:
            layer = layer.with_sections(what)
    return layer


def by_id(document) -> dict[str, dict]:
    return {camera["id"]: camera for camera in document.get("cameras", ())}


@given(documents, changes)
def test_cameras_are_what_was_last_said_of_each(document, steps):
    expected = by_id(document)
    for kind, what in steps:
        if kind == "save":
            expected[what["id"]] = what
        elif kind == "remove":
            expected.pop(what, None)
    assert by_id(laid_over(document, changed(document, steps), FOLDER)) == expected


@given(documents, changes)
def test_the_files_cameras_keep_their_order_and_come_first(document, steps):
    made = list(by_id(laid_over(document, changed(document, steps), FOLDER)))
    of_file = [camera_id for camera_id in by_id(document) if camera_id in made]
    assert made[: len(of_file)] == of_file
    assert len(made) == len(set(made))


@given(documents, changes)
def test_keys_are_what_was_last_tuned_and_else_the_files(document, steps):
    expected = {name: dict(keys) for name, keys in document.items() if name != "cameras"}
    for kind, what in steps:
        if kind == "tune":
            for name, keys in what.items():
                if keys:
                    expected[name] = {**expected.get(name, {}), **keys}
    made = laid_over(document, changed(document, steps), FOLDER)
    assert {name: keys for name, keys in made.items() if name != "cameras"} == expected


@given(documents, changes)
def test_to_lay_it_over_again_changes_nothing_and_the_file_is_left_alone(document, steps):
    before = repr(document)
    layer = changed(document, steps)
    once = laid_over(document, layer, FOLDER)
    assert laid_over(once, layer, FOLDER) == once
    assert repr(document) == before


@given(documents)
def test_an_empty_layer_is_the_file(document):
    assert Layer().is_empty
    assert laid_over(document, Layer(), FOLDER) == document


@given(documents, changes)
def test_a_layer_is_the_same_when_it_was_written_and_read(document, steps):
    layer = changed(document, steps)
    assert layer_of(layer.model_dump(mode="json")) == layer
