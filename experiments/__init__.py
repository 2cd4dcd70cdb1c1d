"""What was tried, as programs: each says at its top what it claims and how to run it."""

import limpide  # noqa: F401  before anything else: it switches off what dependencies would report
