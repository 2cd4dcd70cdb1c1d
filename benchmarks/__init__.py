"""Speed and cost, measured side by side: each program says at its top what it compares."""

import limpide  # noqa: F401  before anything else: it switches off what dependencies would report
