"""The wire contract between the box (edge) and the centre. It depends on pydantic only."""
