"""Rule-set documents in the forms of other programs: sheets, DMN decision tables, PMML scorecards.

Everything here maps data to data. Bytes are written and read by `app.infra`, and whatever is read
goes through `parse_document` like any other document.
"""
