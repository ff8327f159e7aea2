"""A version's bundle out of the registry, for those who only want to ask it. The one half of ``load`` with MLflow."""

import os
import re

from vigie.adapters.mlflow_registry import MlflowRegistry
from vigie.adapters.mlflow_tracking import open_client
from vigie.errors import ConfigurationError
from vigie.settings import Settings

REGISTERED = re.compile(r"models:/(?P<name>[^/@]+)(@(?P<alias>[^/@]+)|/(?P<version>[^/@]+))")
"""How MLflow writes a version: ``models:/churn@champion``, ``models:/churn/3``."""


def members_of(where: str, settings: Settings | None) -> tuple[dict[str, bytes], str]:
    """Return the members and the number of the version that ``models:/…`` names.

    Args:
        where: as MLflow writes it, see ``REGISTERED``.
        settings: of the project around, None outside of one.

    Raises:
        ConfigurationError: the name cannot be understood, or nobody says where the registry is.
        ModelNotFoundError: there is no such model, version or alias.
    """
    named = REGISTERED.fullmatch(where)
    if named is None:
        raise ConfigurationError(
            f"{where!r} names no version.", remedy="Write models:/NAME@champion, or models:/NAME/3."
        )
    uri = settings.tracking_uri if settings else os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        raise ConfigurationError(
            f"Nobody says which registry {where!r} is in.",
            remedy="Set MLFLOW_TRACKING_URI, or work inside a project's folder.",
        )
    return fetch(uri, named["name"], named["alias"] or named["version"])


def fetch(uri: str, name: str, wanted: str) -> tuple[dict[str, bytes], str]:
    """Return the members and the number of one version, by number or alias.

    Raises:
        ModelNotFoundError: there is no such model, version or alias.
        RegistryError: the registry cannot be reached.
    """
    registry = MlflowRegistry(open_client(uri))
    version = registry.version(name, wanted).version
    return registry.members(name, version), version
