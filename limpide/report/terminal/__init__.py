"""The output of the command line: progress, summaries, tables, predictions."""
