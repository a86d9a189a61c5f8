"""Exports: stretches of the recording as files to hand out (docs/design/export.md)."""
