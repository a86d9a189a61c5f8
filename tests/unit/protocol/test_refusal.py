from typing import Annotated

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

import central.config
import central.seed
import edge.config
from protocol.refusal import SECRET_KEYS, refusal

SECRET = "hunter2"


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Place(_Section):
    file: str | None = None


def _no_port(value: str) -> str:
    raise ValueError("must have a port")


class _Camera(_Section):
    id: str = Field(default="cam", max_length=8)
    lost_after_s: float = Field(default=30, ge=5)
    password: _Place | None = None
    pin: _Place | None = None
    main_url: Annotated[str, AfterValidator(_no_port)] = ""


class _File(_Section):
    cameras: tuple[_Camera, ...] = ()


def said(document: dict[str, object], model: type[BaseModel] = _File) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(document)
    return refusal(caught.value)


def of_camera(**keys: object) -> str:
    return said({"cameras": [keys]})


def test_each_broken_key_is_named_with_its_rule_and_value():
    text = of_camera(id="far-too-long", lost_after_s=1)
    assert text == (
        "'cameras.0.id': String should have at most 8 characters, not 'far-too-long'; "
        "'cameras.0.lost_after_s': Input should be greater than or equal to 5, not 1"
    )


def test_a_file_without_what_it_must_have_is_named_as_the_file():
    assert said({}, edge.config.Secret) == "'(the file)': give exactly one of 'file' and 'env'"


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param({"password": SECRET}, id="a secret in the place of where it is"),
        pytest.param({"password": [SECRET]}, id="in a list"),
        pytest.param({"password": {"file": [SECRET]}}, id="below a secret's key"),
        pytest.param({"password": {"value": SECRET}}, id="under an unknown key of a secret"),
        pytest.param({"pin": SECRET}, id="a PIN"),
        pytest.param({"main_url": f"http://admin:{SECRET}@h/x"}, id="in an address"),
        pytest.param({"main_url": [SECRET]}, id="in what should be an address"),
        pytest.param({"passwort": SECRET}, id="under a misspelt key"),
        pytest.param({"id": f"admin:{SECRET}@192.0.2.1"}, id="an address under another key"),
        pytest.param({"lost_after_s": [SECRET]}, id="in a list under another key"),
    ],
)
def test_what_may_be_a_secret_is_not_repeated(keys):
    text = of_camera(**keys)
    assert "'cameras.0." in text
    assert SECRET not in text


def test_text_in_the_place_of_a_section_is_not_repeated():
    assert SECRET not in said({"cameras": [f"rtsp://admin:{SECRET}@192.0.2.1/x"]})


@pytest.mark.parametrize(
    "model",
    [edge.config.EdgeConfig, central.config.CentralConfig, central.seed.Seed],
    ids=lambda model: model.__name__,
)
def test_every_key_that_holds_a_secret_is_known_as_one(model):
    """A new secret under a new name would be repeated in an error."""
    found = set(secret_keys(model))
    assert found
    assert found <= SECRET_KEYS


def secret_keys(model):
    for name, field in model.model_fields.items():
        for part in sections(field.annotation):
            if part.__name__ == "Secret":
                yield name
            else:
                yield from secret_keys(part)


def sections(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from sections(part)
