"""Dated attributes that scoring reads: bands, grades and flags, plain, one row per validity."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped

from app.db.base import Base, Recorded, column, one_of
from app.domain.words import CAREER_STAGES, FAMILY_STAGES, HEALTH_GRADES, OCCUPATION_RISKS


class ScoringInputRow(Recorded, Base):
    """What was known of a customer's attributes from one business day to the next change."""

    __tablename__ = "scoring_inputs"
    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="validity"),
        CheckConstraint("extract(day FROM birth_month) = 1", name="birth_month"),
        one_of("occupation_risk", OCCUPATION_RISKS),
        one_of("health_grade", HEALTH_GRADES),
        one_of("career_stage", CAREER_STAGES),
        one_of("family_stage", FAMILY_STAGES),
        CheckConstraint("health_habit_score BETWEEN 0 AND 100", name="health_habit_score"),
        CheckConstraint("driving_score BETWEEN 0 AND 100", name="driving_score"),
        CheckConstraint("income_band BETWEEN 1 AND 7", name="income_band"),
        CheckConstraint("asset_band BETWEEN 1 AND 7", name="asset_band"),
        CheckConstraint("credit_score BETWEEN 300 AND 950", name="credit_score"),
        Index(
            "uq_scoring_inputs_open",
            "customer_id",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
        ),
        # Each row ends where the next begins, and no two end alike, so that of any day one row
        # tells. An exclusion constraint says the same and takes half as long again to import.
        Index(
            "uq_scoring_inputs_end",
            "customer_id",
            "valid_to",
            unique=True,
            postgresql_where=text("valid_to IS NOT NULL"),
        ),
        ForeignKeyConstraint(
            ["customer_id", "valid_to"],
            ["scoring_inputs.customer_id", "scoring_inputs.valid_from"],
            deferrable=True,
            initially="DEFERRED",
        ),
        {"comment": "Dated scoring attributes; only the evaluation reads them."},
    )

    customer_id: Mapped[str] = column(
        Text(collation="C"),
        "Whose attributes.",
        ForeignKey("customers.customer_id", onupdate="CASCADE"),
        sensitivity="open",
        primary_key=True,
    )
    valid_from: Mapped[date] = column(
        Date, "First business day these values hold.", sensitivity="internal", primary_key=True
    )
    valid_to: Mapped[date | None] = column(
        Date, "First business day they no longer hold; null while open.", sensitivity="internal"
    )
    birth_month: Mapped[date | None] = column(
        Date,
        "First day of the birth month; the day is only kept encrypted.",
        sensitivity="c2.birth",
    )
    occupation_risk: Mapped[str | None] = column(
        Text, "Occupation class: low, medium, high.", sensitivity="risk"
    )
    smoker: Mapped[bool | None] = column(Boolean, "Smokes.", sensitivity="s.health")
    heavy_drinker: Mapped[bool | None] = column(Boolean, "Drinks heavily.", sensitivity="s.health")
    health_grade: Mapped[str | None] = column(
        Text, "Health grade A (best) to E.", sensitivity="s.health"
    )
    health_habit_score: Mapped[int | None] = column(
        SmallInteger, "Wearables' habit score, 0 to 100.", sensitivity="s.health"
    )
    driving_score: Mapped[int | None] = column(
        SmallInteger, "Telematics driving score, 0 to 100.", sensitivity="risk"
    )
    fraud_suspicion: Mapped[bool | None] = column(
        Boolean, "Claims department suspects fraud.", sensitivity="s.fraud"
    )
    opinion_leader: Mapped[bool | None] = column(
        Boolean, "Known opinion leader (意见领袖).", sensitivity="internal"
    )
    income_band: Mapped[int | None] = column(
        SmallInteger, "Income band 1 to 7.", sensitivity="s.income"
    )
    asset_band: Mapped[int | None] = column(
        SmallInteger, "Asset band 1 to 7.", sensitivity="s.income"
    )
    credit_score: Mapped[int | None] = column(
        SmallInteger, "Credit score 300 to 950.", sensitivity="s.income"
    )
    career_stage: Mapped[str | None] = column(Text, "Career stage.", sensitivity="s.income")
    family_stage: Mapped[str | None] = column(Text, "Family stage.", sensitivity="s.income")
