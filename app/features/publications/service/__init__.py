"""The use cases of publications."""

from app.features.publications.repository import StoredPublication
from app.features.publications.service.publishing import (
    NotPublishableError,
    PublicationOrder,
    publish,
)
from app.features.publications.service.reading import (
    Gap,
    Told,
    get_publication,
    list_gaps,
    list_publications,
    tell,
)
from app.features.publications.service.recording import Publisher
from app.features.publications.service.retiring import retire

__all__ = [
    "Gap",
    "NotPublishableError",
    "PublicationOrder",
    "Publisher",
    "StoredPublication",
    "Told",
    "get_publication",
    "list_gaps",
    "list_publications",
    "publish",
    "retire",
    "tell",
]
