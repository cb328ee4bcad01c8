"""Customers as they are sent and answered."""

from app.features.customers.schemas.book import (
    BOOK_FIELDS,
    BookQuery,
    BookRead,
    ListedRead,
    book_file,
)
from app.features.customers.schemas.consents import ConsentsRead, ConsentsWrite
from app.features.customers.schemas.merge import MergeCreate, MergeRead
from app.features.customers.schemas.parameters import CustomerId, CustomerIdField
from app.features.customers.schemas.profile import ProfileRead
from app.features.customers.schemas.search import CandidateRead, CustomerSearch, SearchRead
from app.features.customers.schemas.upsert import BODY_FIELDS, CustomerWrite
from app.features.customers.schemas.verifications import VerificationCreate, VerificationRead

__all__ = [
    "BODY_FIELDS",
    "BOOK_FIELDS",
    "BookQuery",
    "BookRead",
    "CandidateRead",
    "ConsentsRead",
    "ConsentsWrite",
    "CustomerId",
    "CustomerIdField",
    "CustomerSearch",
    "CustomerWrite",
    "ListedRead",
    "MergeCreate",
    "MergeRead",
    "ProfileRead",
    "SearchRead",
    "VerificationCreate",
    "VerificationRead",
    "book_file",
]
