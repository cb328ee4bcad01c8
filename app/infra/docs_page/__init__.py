"""The documentation page, and in a demonstration one click that signs in on it."""

from app.infra.docs_page.desk import TOKEN_PATH, DemoSeats, may_offer_tokens
from app.infra.docs_page.page import install_docs

__all__ = ["TOKEN_PATH", "DemoSeats", "install_docs", "may_offer_tokens"]
