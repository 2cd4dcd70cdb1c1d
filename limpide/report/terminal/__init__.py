"""What the command line prints: progress, summaries, tables, predictions."""
