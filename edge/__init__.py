"""The edge agent: one village box."""

__version__ = "0.1.0"
