"""The use cases on customers."""

from app.features.customers.service.book import (
    BookFilter,
    BookPage,
    ListedCustomer,
    list_customers,
    list_whole_book,
)
from app.features.customers.service.consents import (
    ConsentGiven,
    consents_version,
    list_consents,
    lock_consents_version,
    put_consents,
)
from app.features.customers.service.profile import (
    Profile,
    ProfileLookups,
    get_profile,
    lock_version,
)
from app.features.customers.service.search import (
    MOST_CANDIDATES,
    MissesExhaustedError,
    Searcher,
    StoredCandidate,
    fill_blind_index,
    has_unindexed,
    search_customers,
)
from app.features.customers.service.subjects import (
    StoredSubject,
    Subject,
    get_survivor,
    get_survivors,
    identify,
    identify_each,
)
from app.features.customers.service.upsert import CustomerChange, Upserted, put_customer
from app.features.customers.service.verifications import (
    MOST_TRIES,
    Said,
    TriesExhaustedError,
    Verification,
    verify,
)

__all__ = [
    "MOST_CANDIDATES",
    "MOST_TRIES",
    "BookFilter",
    "BookPage",
    "ConsentGiven",
    "CustomerChange",
    "ListedCustomer",
    "MissesExhaustedError",
    "Profile",
    "ProfileLookups",
    "Said",
    "Searcher",
    "StoredCandidate",
    "StoredSubject",
    "Subject",
    "TriesExhaustedError",
    "Upserted",
    "Verification",
    "consents_version",
    "fill_blind_index",
    "get_profile",
    "get_survivor",
    "get_survivors",
    "has_unindexed",
    "identify",
    "identify_each",
    "list_consents",
    "list_customers",
    "list_whole_book",
    "lock_consents_version",
    "lock_version",
    "put_consents",
    "put_customer",
    "search_customers",
    "verify",
]
