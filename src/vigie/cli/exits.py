"""The one table from errors to exit codes."""

from vigie.errors import (
    BundleError,
    ConfigurationError,
    DataError,
    RegistryError,
    StorageError,
    VigieError,
)

FINE = 0
ALARM = 1
USAGE = 2
DATA = 3
BUNDLE = 4
REGISTRY = 5
STORAGE = 6

EXIT_CODES: dict[type[VigieError], int] = {
    ConfigurationError: USAGE,
    DataError: DATA,
    BundleError: BUNDLE,
    RegistryError: REGISTRY,
    StorageError: STORAGE,
}
"""Exit code of each branch of the tree; a leaf has its branch's."""

MEANINGS = {
    FINE: "all is well",
    ALARM: "an alarm, or a refused gate, where asked to fail",
    USAGE: "wrong usage or configuration",
    DATA: "the data cannot mean what was asked",
    BUNDLE: "the artifact cannot be used",
    REGISTRY: "the registry said no",
    STORAGE: "a backend failed",
}
"""What the documentation and ``--help`` say of each code."""


def exit_code(error: VigieError) -> int:
    """Return the exit code of an error: that of the nearest branch above it."""
    for kind in type(error).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind]
    return ALARM
