"""One image in one network, explained: worked out, kept as a record, drawn and written."""
