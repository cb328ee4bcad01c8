"""What a feed may say of a customer."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from app.domain.records.specs import RECORDS
from app.domain.words import (
    PURPOSES,
    CareerStage,
    CustomerKind,
    FamilyStage,
    Gender,
    HealthGrade,
    IdDocument,
    OccupationRisk,
    Purpose,
    SalesChannel,
)
from app.features.customers.service import CustomerChange
from app.infra.written import FILLED, WHOLE, Day, MailAddress

#: Where the body says what a record calls otherwise; a person is not born after today.
BODY_FIELDS: Final = {
    "valid_from": "birth_date",
    "purpose": "consent",
    "given_on": "consent",
    "withdrawn_on": "consent",
}

#: What a company cannot have; clearing it is harmless.
OF_PERSONS: Final = RECORDS["customers"].only_individual
#: What a person cannot have.
OF_COMPANIES: Final = RECORDS["customers"].only_corporate

LARGEST_AMOUNT: Final = Decimal("9999999999999999.99")

_AMOUNT: Final = re.compile(r"[0-9]{1,16}(\.[0-9]{1,2})?")
_RESIDENT_ID: Final = re.compile(r"[0-9]{17}[0-9Xx]")


def _written_amount(value: object) -> object:
    """An amount in digits; exponents and spaces are read by Decimal and meant by nobody.

    A number with a fraction is a binary one, which is not what was meant.
    """
    is_binary = isinstance(value, float) and not value.is_integer()
    if is_binary or (isinstance(value, str) and not _AMOUNT.fullmatch(value)):
        kind, message = "amount_form", "an amount is written as 1234.50"
        raise PydanticCustomError(kind, message)
    return value


Money = Annotated[
    Decimal,
    Field(ge=0, le=LARGEST_AMOUNT, decimal_places=2),
    BeforeValidator(_written_amount),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": f"^{_AMOUNT.pattern}$"},
                {"type": "integer", "minimum": 0, "maximum": int(LARGEST_AMOUNT)},
            ]
        }
    ),
]
_Text40 = Annotated[str, Field(min_length=1, max_length=40), FILLED]
_Text100 = Annotated[str, Field(min_length=1, max_length=100), FILLED]
_Text200 = Annotated[str, Field(min_length=1, max_length=200), FILLED]
Flag = Annotated[bool, Field(strict=True)]
Score100 = Annotated[int, Field(strict=True, ge=0, le=100), WHOLE]


class CustomerWrite(BaseModel):
    """One customer; what is left out stays as it is, null clears it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "if": {"properties": {"kind": {"const": "corporate"}}},
            "then": {"properties": {name: {"type": "null"} for name in sorted(OF_PERSONS)}},
            "else": {"properties": {name: {"type": "null"} for name in sorted(OF_COMPANIES)}},
            "examples": [
                {
                    "kind": "individual",
                    "name": "王小明",
                    "phone": "13800000000",
                    "birth_date": "1984-02-29",
                    "occupation": "teacher",
                    "income": "180000.00",
                    "smoker": False,
                    "city": "Hangzhou",
                    "consent": ["lifestyle_data", "personalisation"],
                }
            ],
        },
    )

    kind: CustomerKind = Field(description="A person or a company.")
    name: _Text200 = Field(description="Name; a company's as registered.")
    phone: _Text40 | None = Field(None, description="Phone number.")
    email: MailAddress | None = Field(None, description="E-mail address.")
    id_type: IdDocument | None = Field(
        None, description="Document the ID number belongs to; resident IDs are recognised."
    )
    id_no: _Text40 | None = Field(None, description="ID number.")
    birth_date: Day | None = Field(None, description="Birth date of a person.")
    gender: Gender | None = Field(None, description="Gender, where stated.")
    city: _Text100 | None = Field(None, description="City.")
    channel: SalesChannel | None = Field(None, description="Channel the customer came through.")
    credit_code: str | None = Field(
        None,
        pattern="^[0-9A-Z]{18}$",
        description="Unified social credit code (统一社会信用代码) of a company.",
    )
    account_manager: _Text200 | None = Field(
        None, description="`sub` of the account manager's tokens."
    )
    income: Money | None = Field(None, description="Yearly income as declared.")
    assets: Money | None = Field(None, description="Assets as declared.")
    occupation: _Text200 | None = Field(None, description="Occupation.")
    occupation_risk: OccupationRisk | None = Field(
        None, description="Its class; mining and work at height are high."
    )
    credit_score: Annotated[int, Field(strict=True, ge=300, le=950), WHOLE] | None = Field(
        None, description="Credit score."
    )
    health_grade: HealthGrade | None = Field(None, description="Health grade, A is the best.")
    smoker: Flag | None = Field(None, description="Smokes.")
    heavy_drinker: Flag | None = Field(None, description="Drinks heavily.")
    health_habit_score: Score100 | None = Field(None, description="Habit score of wearables.")
    driving_score: Score100 | None = Field(None, description="Driving score of telematics.")
    fraud_suspicion: Flag | None = Field(None, description="The claims department suspects fraud.")
    opinion_leader: Flag | None = Field(None, description="Known opinion leader (意见领袖).")
    career_stage: CareerStage | None = Field(None, description="Career stage.")
    family_stage: FamilyStage | None = Field(None, description="Family stage.")
    consent: (
        Annotated[bool, Field(strict=True)] | Annotated[list[Purpose], Field(max_length=6)] | None
    ) = Field(
        None,
        description=(
            "What the customer consents to now: true is every purpose, false none, or a list of"
            " purposes; others are withdrawn. Left out, his consents stay as they are."
        ),
    )

    @field_validator(*OF_PERSONS)
    @classmethod
    def _of_a_person(cls, value: object, info: ValidationInfo) -> object:
        """What only people have; a company's record that holds it is somebody's by mistake."""
        if value is not None and info.data.get("kind") == "corporate":
            kind, message = "individual-only", "only people have this"
            raise PydanticCustomError(kind, message)
        return value

    def to_domain(self) -> CustomerChange:
        """What is said, by columns of the record."""
        columns = self.model_dump(include=self.model_fields_set - {"consent"})
        if self.id_no is not None and self.id_type is None:
            is_resident_id = _RESIDENT_ID.fullmatch(self.id_no.strip()) is not None
            columns["id_type"] = "resident_id" if is_resident_id else "other"
        return CustomerChange(columns, self._purposes())

    def _purposes(self) -> frozenset[str] | None:
        if self.consent is None:
            return None
        if isinstance(self.consent, bool):
            return frozenset(PURPOSES if self.consent else ())
        return frozenset(self.consent)
