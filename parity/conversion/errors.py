"""The one error of a conversion: which operation has no counterpart here, and where it stands."""


class ConversionError(ValueError):
    """A module, or something that its forward does, cannot be said in layers of numpycnn.

    Attributes
    ----------
    path : str
        The module in whose forward it happens, as in the state dict; empty for the whole.
    """

    def __init__(self, path: str, message: str):
        super().__init__(message)
        self.path = path

    def __str__(self) -> str:
        return f"cannot convert {self.path or 'the module'}: {self.args[0]}"
