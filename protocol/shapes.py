"""Shapes drawn on a camera's picture, as configuration and commands have them. Pure."""

from typing import Annotated

from pydantic import Field

#: A place across or down the picture: 0 is left or top, 1 right or bottom.
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Point = tuple[Fraction, Fraction]
Polygon = Annotated[tuple[Point, ...], Field(min_length=3, max_length=10)]

#: Areas that one rule looks past.
Exclusions = Annotated[tuple[Polygon, ...], Field(max_length=8)]
