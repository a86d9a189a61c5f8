"""What every section of the box's configuration keeps to."""

from collections.abc import Set as AbstractSet

from pydantic import AfterValidator, BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the file: unknown keys are refused, and nothing changes it once it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def other_than(own: AbstractSet[str]) -> AfterValidator:
    """Refuse an id that the box uses itself."""

    def check(value: str) -> str:
        if value in own:
            names = ", ".join(sorted(own))
            raise ValueError(f"must be an id that the box does not use itself ({names})")
        return value

    return AfterValidator(check)
