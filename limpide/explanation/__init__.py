"""One image in one network, explained: computed, kept as a record, drawn and written."""
