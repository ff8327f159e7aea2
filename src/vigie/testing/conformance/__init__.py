"""One suite per port: subclass it, give it your adapter in a fixture, and pytest says whether it keeps the contract.

```python
from vigie.testing.conformance import PredictionLogSuite


class TestMyLog(PredictionLogSuite):
    @pytest.fixture
    def log(self, tmp_path):
        with closing(MyLog(tmp_path / "log")) as log:
            yield log
```
"""

import pytest

# Before the suites are imported, so that a failed assertion in them shows its values.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{suite}"
        for suite in (
            "feedback",
            "hours",
            "ids",
            "keeping",
            "ledger",
            "notifier",
            "prediction_log",
            "prediction_writer",
            "registry",
            "service_probe",
            "tracker",
        )
    )
)

from vigie.testing.conformance.ids import IdSourceSuite  # noqa: E402  # rewriting must be registered first
from vigie.testing.conformance.ledger import LedgerSuite  # noqa: E402  # idem
from vigie.testing.conformance.notifier import NotifierSuite  # noqa: E402  # idem
from vigie.testing.conformance.prediction_log import PredictionLogSuite  # noqa: E402  # idem
from vigie.testing.conformance.prediction_writer import PredictionWriterSuite  # noqa: E402  # idem
from vigie.testing.conformance.registry import RegistrySuite  # noqa: E402  # idem
from vigie.testing.conformance.service_probe import ServiceProbeSuite  # noqa: E402  # idem
from vigie.testing.conformance.tracker import TrackerSuite  # noqa: E402  # idem

__all__ = [
    "IdSourceSuite",
    "LedgerSuite",
    "NotifierSuite",
    "PredictionLogSuite",
    "PredictionWriterSuite",
    "RegistrySuite",
    "ServiceProbeSuite",
    "TrackerSuite",
]
