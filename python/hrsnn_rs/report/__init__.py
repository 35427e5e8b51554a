"""The page that an experiment leaves behind: tables, figures and what they rest on, in one file.

Not here: how a figure is drawn (`plotting`), and how its numbers were found (`learning`). Knows
figures and results, and no command.
"""

from hrsnn_rs.report.demo_figures import demo_figures
from hrsnn_rs.report.page import ReportFigure, write_report
from hrsnn_rs.report.parts import format_parts
from hrsnn_rs.report.tables import format_comparisons, format_paper, format_summary

__all__ = [
    "ReportFigure",
    "demo_figures",
    "format_comparisons",
    "format_paper",
    "format_parts",
    "format_summary",
    "write_report",
]
