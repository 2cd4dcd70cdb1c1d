"""Reads Runs and Findings and tells them: one HTML page, or the terminal. No torch, nothing is computed twice."""

from limpide.report.page import write_page
from limpide.report.terminal import print_report

__all__ = ["print_report", "write_page"]
