"""Cameras enrolled while the box runs: found, examined and saved (docs/design/cameras.md).

What speaks to cameras does so in a process of its own that ends with its errand
(:mod:`edge.enrolment.child`); the box imports nothing of it.
"""
