"""What the environment trusts, for those who open a bundle where there is no ``vigie.toml``."""

from collections.abc import Mapping

import msgspec

from vigie.bundle.trust import Trust
from vigie.errors import ConfigurationError

_BUNDLE = "VIGIE_BUNDLE__"


def trust_of_environment(environ: Mapping[str, str]) -> Trust:
    """Return what ``VIGIE_BUNDLE__…`` trusts; a value that cannot be read never counts as "no".

    Raises:
        ConfigurationError: ``VIGIE_BUNDLE__REQUIRE_SIGNATURE`` is neither true nor false.
    """
    asked = environ.get(f"{_BUNDLE}REQUIRE_SIGNATURE", "false")
    try:
        signed_only = msgspec.convert(asked, bool, strict=False)
    except msgspec.ValidationError as exc:
        raise ConfigurationError(
            f"The value {asked!r} does not fit.",
            where="environment",
            key=f"{_BUNDLE}REQUIRE_SIGNATURE",
            remedy="Write true or false.",
        ) from exc
    return Trust(_listed(environ, "TRUSTED_TYPES"), signed_only, _listed(environ, "TRUSTED_KEYS"))


def _listed(environ: Mapping[str, str], name: str) -> frozenset[str]:
    return frozenset(part.strip() for part in environ.get(_BUNDLE + name, "").split(",") if part.strip())
