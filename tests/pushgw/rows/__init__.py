"""Pushgateway's own test suite and what its 1.5.1 answers to odd input, as data.

Names H*, L*, S* are the cases of `handler_test.go` and `diskmetricstore_test.go` in Pushgateway 1.11.3; the rest was
seen by running Debian's 1.5.1. A row is a list of steps on an empty bridge; after each step the answer is compared, and
after the last one the series on `/metrics` (push times aside).
"""

from tests.pushgw.rows.handler import HANDLER, LABELS, LEGACY_LABELS
from tests.pushgw.rows.steps import Row
from tests.pushgw.rows.store import STORE
from tests.pushgw.rows.text import CONSISTENCY, TEXT

__all__ = ["CONSISTENCY", "HANDLER", "LABELS", "LEGACY_LABELS", "STORE", "TEXT", "Row"]
