"""The only door to scikit-learn and LightGBM: learners, two kinds of models, one interface.

Whatever learns trees gives a `TreeModel`, whose text is LightGBM's: it predicts and explains alike for a boosting and
for a forest, is read back without executing anything, and needs neither pickle nor another library for SHAP values.
"""

from workbench.signaux_faibles.detection.learners.boosting import Boosting
from workbench.signaux_faibles.detection.learners.forest import Forest
from workbench.signaux_faibles.detection.learners.interface import Learner, Model, learner_named, model_from_json
from workbench.signaux_faibles.detection.learners.logistic import Logistic
from workbench.signaux_faibles.detection.learners.spark_forest import SparkForest
from workbench.signaux_faibles.detection.learners.trees import TreeModel

__all__ = [
    "Boosting",
    "Forest",
    "Learner",
    "Logistic",
    "Model",
    "SparkForest",
    "TreeModel",
    "learner_named",
    "model_from_json",
]
