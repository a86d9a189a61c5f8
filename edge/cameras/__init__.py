"""Cameras over ONVIF: found, asked and set up, however broken or hostile they are.

Nothing of the box's main process imports this package: what parses WSDL documents costs 20 MB and
is for whoever sets a camera up (docs/design/cameras.md).
"""
