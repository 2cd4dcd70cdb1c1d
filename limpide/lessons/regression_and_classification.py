"""Regression answers with a number, classification with a name: the same three lines, and a baseline beside each.

A model is worth what it knows beyond the simplest answer: the mean, or the most frequent class.
"""

from sklearn.datasets import load_diabetes, load_wine
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from limpide.text.messages import _

for what, data, score, models in (
    (
        _("diabetes: how far the disease has progressed"),
        load_diabetes(),
        "neg_mean_absolute_error",
        (DummyRegressor(), LinearRegression()),
    ),
    (_("wine: which of three cultivars"), load_wine(), "accuracy", (DummyClassifier(), LogisticRegression())),
):
    print(what)
    for model in models:
        found = cross_val_score(make_pipeline(StandardScaler(), model), data.data, data.target, scoring=score, cv=5)
        print(f"  {type(model).__name__:20s} {score.removeprefix('neg_')} {abs(found.mean()):8.2f} ± {found.std():.2f}")
