"""Reference records: market averages by year and the services products entitle to."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pyarrow as pa

from app.demo.columns import MONEY
from app.demo.proportions import Proportions

_CENT = Decimal("0.01")


def benchmark_columns(proportions: Proportions, as_of: date) -> dict[str, pa.Array]:
    """Columns of `market_benchmarks`: one publication a year."""
    market = proportions.market
    rows = [
        (str(year), line, kind, date(year, 1, 1), _average(average, market.yearly_growth, back))
        for back, year in ((back, as_of.year - back) for back in range(market.years - 1, -1, -1))
        for kind, averages in (("individual", market.individual), ("corporate", market.corporate))
        for line, average in averages.items()
    ]
    version, line, kind, valid_from, average = zip(*rows, strict=True)
    return {
        "benchmark_version": pa.array(version, pa.string()),
        "product_line": pa.array(line, pa.string()),
        "customer_kind": pa.array(kind, pa.string()),
        "valid_from": pa.array(valid_from, pa.date32()),
        "average_premium": pa.array(average, MONEY),
    }


def service_columns(proportions: Proportions) -> dict[str, pa.Array]:
    """Columns of `product_services`."""
    rows = [
        (product, service)
        for product, services in proportions.services.by_product.items()
        for service in services
    ]
    product, service = zip(*rows, strict=True)
    return {
        "product": pa.array(product, pa.string()),
        "service_code": pa.array(service, pa.string()),
    }


def _average(newest: float, growth: float, years_back: int) -> Decimal:
    earlier = Decimal(str(newest)) / (1 + Decimal(str(growth))) ** years_back
    return earlier.quantize(_CENT, rounding=ROUND_HALF_UP)
