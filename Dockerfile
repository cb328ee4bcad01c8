# The service without the embedded server: name a PostgreSQL with TIERING_DATABASE_URL.
#
#   docker build --tag tiering .
#   docker run --rm --env-file production.env tiering tiering migrate
#   docker run --env-file production.env --publish 8000:8000 tiering
#   docker run --env-file production.env --no-healthcheck tiering tiering worker
#
# The worker is a container of its own: it does the jobs, such as imports over HTTP, and serves nothing.

FROM python:3.13.9-slim-trixie AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONDONTWRITEBYTECODE=1
RUN python -m venv /opt/tiering
WORKDIR /srv/tiering

# The locks change less often than the code, so their layer comes first.
COPY requirements/build.txt requirements/production.txt requirements/
RUN /opt/tiering/bin/pip install --require-hashes --no-deps --only-binary :all: \
    --requirement requirements/production.txt --requirement requirements/build.txt

COPY pyproject.toml README.md LICENSE ./
COPY app app
# Editable, so that the code stays beside migrations/ as in a checkout; the back end is not needed after.
RUN /opt/tiering/bin/pip install --no-deps --no-build-isolation --editable . \
    && /opt/tiering/bin/pip uninstall --yes --quiet --requirement requirements/build.txt


FROM python:3.13.9-slim-trixie

RUN groupadd --system --gid 10001 tiering \
    && useradd --system --uid 10001 --gid tiering --home-dir /var/lib/tiering --create-home tiering
COPY --from=build /opt/tiering /opt/tiering
WORKDIR /srv/tiering
COPY --from=build /srv/tiering .
COPY alembic.ini ./
COPY migrations migrations

ENV PATH=/opt/tiering/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TIERING_ENVIRONMENT=production \
    DATA_DIR=/var/lib/tiering
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=2)"]
CMD ["tiering", "serve", "--host", "0.0.0.0", "--port", "8000"]
