"""``similar``: the answer is nearly the value, by edit distance (Levenshtein) or by the embeddings of an endpoint.

``threshold`` is how alike they are at least, 0 to 1 (0.8); ``distance`` instead: edits there may be. ``by =
"embeddings"`` asks the judge's endpoint, and is then the cosine of both.
"""

from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, is_number, plain, quoted
from agenttop.quality.graders.includes import targets_of
from agenttop.quality.packages import MissingPackage, needed

DEFAULT_THRESHOLD = 0.8
#: Characters that are compared: the time is of the product of both lengths (over 64).
MAX_COMPARED = 20_000


def by_embeddings(spec: GraderSpec) -> bool:
    """Return whether an endpoint has to be asked."""
    return spec.options.get("by") == "embeddings"


def threshold_of(spec: GraderSpec) -> float:
    """Return how alike both have to be at least."""
    return float(spec.options.get("threshold", DEFAULT_THRESHOLD))


def _check(spec: GraderSpec) -> str:
    if spec.options.get("by", "edits") not in ("edits", "embeddings"):
        return 'similar compares by "edits" or by "embeddings"'
    if not is_number(spec.options.get("threshold", DEFAULT_THRESHOLD), 0, 1):
        return "the threshold of similar is a number from 0 to 1"
    if "distance" in spec.options and (by_embeddings(spec) or not is_number(spec.options["distance"])):
        return "the distance of similar is a number of edits"
    if spec.value is not None and not isinstance(spec.value, str | int | float | list):
        return "similar needs a value that is text, or none for the case's target"
    if by_embeddings(spec):
        return ""
    try:
        needed("rapidfuzz", "graders by edit distance")
    except MissingPackage as missing:
        return str(missing)
    return ""


def _similar(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    levenshtein = needed("rapidfuzz.distance", "graders by edit distance").Levenshtein
    text = answer.text[:MAX_COMPARED]
    targets = [plain(target)[:MAX_COMPARED] for target in targets_of(spec, case)]
    most = spec.options.get("distance")
    if most is not None:
        edits = min(levenshtein.distance(text, target) for target in targets)
        said = f"{edits} edits away from {quoted(targets[0])}"
        return Verdict(float(edits <= most), f"{said}; {most} are allowed", said)
    alike = max(levenshtein.normalized_similarity(text, target) for target in targets)
    said = f"{alike:.0%} like {quoted(targets[0])}"
    return Verdict(float(alike >= threshold_of(spec)), f"{said}; {threshold_of(spec):.0%} is wanted", said)


SIMILAR = Grader("similar", _check, _similar, frozenset({"threshold", "distance", "by"}), package="rapidfuzz")
