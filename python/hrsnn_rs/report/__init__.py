"""The page that an experiment leaves behind: tables, figures and what they rest on, in one file.

Not here: how a figure is drawn (`plotting`), and how its numbers were found (`learning`). Knows
figures and results, and no command.
"""

from hrsnn_rs.report.demo_figures import demo_figures
from hrsnn_rs.report.page import (
    ReportFigure,
    format_comparisons,
    format_paper,
    format_summary,
    write_report,
)

__all__ = [
    "ReportFigure",
    "demo_figures",
    "format_comparisons",
    "format_paper",
    "format_summary",
    "write_report",
]
