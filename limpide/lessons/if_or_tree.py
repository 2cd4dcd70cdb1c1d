"""Write it with `if`, or let a tree learn it: three species of iris.

In a program a person writes the rules. Learning finds rules in examples; a tree shows the rules it found. The person
who wrote these rules had looked at all the flowers, those of the test included, and does as well or better: known rules
need no learning.
"""

from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.tree import DecisionTreeClassifier, export_text

from limpide.text.messages import _

iris = load_iris()
x, x_test, y, y_test = train_test_split(iris.data, iris.target, test_size=1 / 3, random_state=0)


def written(petal_length: float, petal_width: float) -> int:
    """The rules of a person who looked at the flowers for a while."""
    if petal_length < 2.5:
        return 0  # setosa
    return 1 if petal_width < 1.7 else 2  # versicolor, virginica


tree = DecisionTreeClassifier(max_depth=2, random_state=0).fit(x, y)
right = sum(written(row[2], row[3]) == target for row, target in zip(x_test, y_test, strict=True))
learned, n = round(tree.score(x_test, y_test) * len(y_test)), len(y_test)
print(
    _("written with if: {right} of {n} correct; learned: {learned} of {n}.").format(right=right, n=n, learned=learned)
)
print(_("The rules that the tree found:"))
print(export_text(tree, feature_names=iris.feature_names, class_names=list(iris.target_names)))
