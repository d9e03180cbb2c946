"""All functions by name."""

from bridge.promql.functions.calendar import CALENDAR
from bridge.promql.functions.elementwise import ELEMENTWISE
from bridge.promql.functions.function import Function
from bridge.promql.functions.histograms import HISTOGRAMS
from bridge.promql.functions.info import INFO
from bridge.promql.functions.labels import LABELS
from bridge.promql.functions.scalars import SCALARS
from bridge.promql.functions.windows import WINDOWS

__all__ = ["FUNCTIONS"]

FUNCTIONS: dict[str, Function] = {**CALENDAR, **ELEMENTWISE, **INFO, **HISTOGRAMS, **LABELS, **SCALARS, **WINDOWS}
