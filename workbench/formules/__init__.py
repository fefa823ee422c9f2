"""The language of formules: text, words, syntax tree, and back.

Pure: no files, no databases. Reading goes words (`words`), what brackets apply to (`bindings`), syntax (`parser`,
`mistakes`), then the names of other indicateurs (`checks`). Every step reports all it finds and lets the next one look.
"""

from workbench.formules.checks import check_formule, check_formules
from workbench.formules.diagnostics import DIAGNOSTICS, Diagnostic, FormuleSyntaxError, format_diagnostic
from workbench.formules.drawing import draw_tree
from workbench.formules.drawing_svg import draw_tree_svg
from workbench.formules.fixes import Fix, apply_fix, fixes_of
from workbench.formules.printer import print_formule, print_segment
from workbench.formules.reading import parse_formule
from workbench.formules.segments import split_segments
from workbench.formules.tree import (
    Binary,
    Node,
    Number,
    Population,
    Reference,
    Segment,
    Span,
    SyntaxTree,
    Unary,
    Variable,
    postorder,
    walk,
)
from workbench.types_appel import SIDES, SOLDES, TYPES_APPEL

__all__ = [
    "DIAGNOSTICS",
    "SIDES",
    "SOLDES",
    "TYPES_APPEL",
    "Binary",
    "Diagnostic",
    "Fix",
    "FormuleSyntaxError",
    "Node",
    "Number",
    "Population",
    "Reference",
    "Segment",
    "Span",
    "SyntaxTree",
    "Unary",
    "Variable",
    "apply_fix",
    "check_formule",
    "check_formules",
    "draw_tree",
    "draw_tree_svg",
    "fixes_of",
    "format_diagnostic",
    "parse_formule",
    "postorder",
    "print_formule",
    "print_segment",
    "split_segments",
    "walk",
]
