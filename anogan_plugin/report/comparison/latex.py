# Copyright (C) 2026 The anogan_plugin authors
# SPDX-License-Identifier: Apache-2.0

"""``summary.tex``: a table per data set, for documents with ``booktabs`` and ``graphicx``."""

import pandas as pd

from anogan_plugin.report.comparison.folder import Results
from anogan_plugin.report.comparison.printed import (
    Cell,
    Column,
    caption,
    printed_cells,
    printed_columns,
    sentence,
)
from anogan_plugin.report.comparison.tables import Tables

_HEAD = r"""% Made by anogan_plugin from a results folder; changes are lost.
% Needs \usepackage{booktabs,graphicx}; \input this file. Names not in Latin script need XeLaTeX or
% LuaLaTeX.
"""
_BLOCKS = (1, 2)
_LONG_HEADING = 13
_AT_MOST_THE_PAGE = r"\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}"
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "$": r"\$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # At the start of a row they would be arguments of the \\ before it.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "×": r"$\times$",
    "≥": r"$\ge$",
    "†": r"$^\dagger$",
    "–": "--",
}


def summary_latex(results: Results, tables: Tables) -> str:
    """The summary as LaTeX.

    Args:
        results: The results folder.
        tables: Made of it.

    Returns:
        A ``table*`` per data set, with its caption; the best in bold, † as in the caption.
    """
    data_sets = dict.fromkeys(job.data for job in results.jobs)
    return "\n".join([_HEAD, *(_data_set(results, tables, data) for data in data_sets)])


def escape(text: str) -> str:
    r"""Escape text from users for LaTeX.

    >>> print(escape("50 % of a_b"))
    50 \% of a\_b
    """
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(str(text).split()))


def _data_set(results: Results, tables: Tables, data: str) -> str:
    summary = tables.summary[tables.summary.data == data]
    pairs = tables.pairs[tables.pairs.data == data]
    text = f"{sentence(results.description)} {caption(results, data, summary, pairs)}"
    blocks = (printed_columns(summary, block) for block in _BLOCKS)
    tabulars = [_tabular(summary, pairs, columns) for columns in blocks if columns]
    return "\n".join(
        [
            r"\begin{table*}",
            r"  \centering\footnotesize\setlength{\tabcolsep}{4pt}",
            rf"  \caption{{{escape(text)}}}",
            *(f"  \\par\\medskip\n{tabular}" for tabular in tabulars),
            r"\end{table*}",
            "",
        ]
    )


def _tabular(summary: pd.DataFrame, pairs: pd.DataFrame, columns: tuple[Column, ...]) -> str:
    head = ["Model", *(_heading(column.title) for column in columns)]
    rows = [[_cell(c) for c in row] for row in printed_cells(summary, pairs, columns)]
    return "\n".join(
        [
            rf"  {_AT_MOST_THE_PAGE}{{\begin{{tabular}}{{l{'r' * len(columns)}}}",
            r"    \toprule",
            f"    {' & '.join(head)} \\\\",
            r"    \midrule",
            *(f"    {' & '.join(row)} \\\\" for row in rows),
            r"    \bottomrule",
            r"  \end{tabular}}",
        ]
    )


def _heading(title: str) -> str:
    """In two lines where it is much wider than the numbers below it."""
    if len(title) <= _LONG_HEADING or " " not in title:
        return escape(title)
    first, second, *rest = title.split()
    lines = (first, " ".join((second, *rest)))
    return rf"\shortstack[r]{{{escape(lines[0])}\\{escape(lines[1])}}}"


def _cell(cell: Cell) -> str:
    text = escape(cell.text) or "--"
    bold = rf"\textbf{{{text}}}" if cell.best and cell.text else text
    return bold + (r"$^\dagger$" if cell.tied else "")
