"""Other libraries beside `limpide train mnist`; `python -m benchmarks.peers` runs them. README.md says how."""
