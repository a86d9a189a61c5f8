"""The errors of the model store and of the models themselves."""


class ModelError(Exception):
    """A model is missing, is not what the manifest says, or doesn't run; names file and rule."""
