"""Bytes of an image file → 8-bit RGB, by one declared rule, in separate processes. No torch."""
