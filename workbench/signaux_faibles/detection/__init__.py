"""Early detection: which companies will fail within some months, why, and how far that can be believed.

`columns` declares a table, `dataset` builds it, `parts` parts it and refuses leaks, `learners` learn, `detector`
holds what was learnt, `alerts` makes a list, `explanations`, `forms` and `sentences` say why, `outputs` write it,
`evaluation` and `card` say how good it is, `registered` keeps it.
"""

from workbench.signaux_faibles.detection.alerts import AlertList, detect
from workbench.signaux_faibles.detection.card import card_text, list_card
from workbench.signaux_faibles.detection.columns import Declaration, Variable, load_declaration
from workbench.signaux_faibles.detection.dataset import Dataset, Perimetre, build_dataset
from workbench.signaux_faibles.detection.detector import Detector, load_detector, save_detector, train
from workbench.signaux_faibles.detection.evaluation import Evaluation, compare_lists, evaluate
from workbench.signaux_faibles.detection.explanations import Explanation, explain
from workbench.signaux_faibles.detection.french import etablissement_declaration, french_declaration
from workbench.signaux_faibles.detection.learners import Boosting, Forest, Learner, Logistic, learner_named
from workbench.signaux_faibles.detection.outputs import datapi_scores, front_document, read_list, write_list
from workbench.signaux_faibles.detection.parts import Parts, Windows, cross_parts, split
from workbench.signaux_faibles.detection.search import search
from workbench.signaux_faibles.detection.thresholds import Level, Thresholds, read_level

__all__ = [
    "AlertList",
    "Boosting",
    "Dataset",
    "Declaration",
    "Detector",
    "Evaluation",
    "Explanation",
    "Forest",
    "Learner",
    "Level",
    "Logistic",
    "Parts",
    "Perimetre",
    "Thresholds",
    "Variable",
    "Windows",
    "build_dataset",
    "card_text",
    "compare_lists",
    "cross_parts",
    "datapi_scores",
    "detect",
    "etablissement_declaration",
    "evaluate",
    "explain",
    "french_declaration",
    "front_document",
    "learner_named",
    "list_card",
    "load_declaration",
    "load_detector",
    "read_level",
    "read_list",
    "save_detector",
    "search",
    "split",
    "train",
    "write_list",
]
