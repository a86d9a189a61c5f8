"""Measurements of the running product, side by side with peers; nothing here ships in the wheel."""
