"""What writing and reading DMN share: names of the standard, and of our own extension.

A DMN file of ours holds every table as a decision, and what DMN has no word for (scorecard,
weights, stability, tests) as JSON in the extension elements of its root. So it reads back whole,
and what somebody changed in a decision with a DMN editor is read as changed.
"""

from collections.abc import Mapping

from app.domain.rules.domains import Kind

MODEL = "https://www.omg.org/spec/DMN/20191111/MODEL/"
"""The namespace of DMN 1.3."""
MODELS = (
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    MODEL,
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
)
"""DMN 1.2 to 1.5, whose decision tables are written alike."""
FEEL = "https://www.omg.org/spec/DMN/20191111/FEEL/"
EXTENSION = "urn:tiering:rule-set:1"
"""The namespace of what is ours."""
RULE_SET = "ruleSet"
INPUT = "input"
COMPLETE = "complete"

TYPES: Mapping[Kind, str] = {
    Kind.NUMBER: "number",
    Kind.DATE: "date",
    Kind.BOOL: "boolean",
    Kind.TEXT: "string",
}
