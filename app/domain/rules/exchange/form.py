"""The form that business people edit: which sheets it has, and what their headings say."""

RULE_SET = "Rule set"
OBJECTIVES = "Objectives"
SCORECARD = "Scorecard"
TESTS = "Tests"
RESERVED = (RULE_SET, OBJECTIVES, SCORECARD, TESTS)

RULE_SET_COLUMNS = ("field", "value", "meaning")
FIELDS = {
    "format": "Format of the document.",
    "id": "Id of the rule set: small letters, digits, hyphens.",
    "product_line": "The line it decides for; all, where no other does.",
    "title.en": "What people call it, in English.",
    "title.zh": "What people call it, in Chinese.",
    "objective": "Which row of the sheet Objectives weighs the dimensions.",
    "risk_model": "Version of the model that the judgement of risk was taken from; may be empty.",
    "reasons.top": "How many reason codes a decision tells.",
    "stability.downgrade_cooldown_days": "Days between two downgrades.",
    "stability.downgrade_step": "How far one downgrade may go.",
    "stability.grace_days": "Days before a downgrade takes effect.",
    "stability.min_dwell_days": "Days that a tier is kept at least.",
}
"""Each field of the sheet `Rule set` with what it means."""
OPTIONAL_FIELDS = ("risk_model",)
INTEGER_FIELDS = (
    "reasons.top",
    "stability.downgrade_cooldown_days",
    "stability.grace_days",
    "stability.min_dwell_days",
)

OBJECTIVE = "objective"
CHARACTERISTIC_COLUMNS = ("dimension", "input", "trend", "code", "reason_en", "reason_zh")
BIN_REASON_COLUMNS = ("bin_code", "bin_reason_en", "bin_reason_zh")
SCORECARD_COLUMNS = (
    "id",
    *CHARACTERISTIC_COLUMNS,
    "when",
    "points",
    *BIN_REASON_COLUMNS,
)

TABLE = "table"
TABLE_FIELDS = (TABLE, "output", "values", "hit_policy", "complete")
"""What the first rows of a table's sheet say, in this order; then its columns are headed."""
VALUES_ROW = TABLE_FIELDS.index("values")
HEADER_ROW = len(TABLE_FIELDS) + 1
RULE = "rule"
THEN = "then"

IN = "in: "
EXPECT = "expect: "
NO_ANSWER = "(none)"
"""What a test expects where no row matches, or where a set of answers is empty."""
