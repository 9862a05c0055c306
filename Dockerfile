# The service as an image. Everything is installed in the first stage, from pinned and
# hashed wheels; the second has neither a compiler nor an installer.

ARG PYTHON=python:3.13.9-slim-trixie

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
RUN python -m venv --without-pip /opt/henji
COPY requirements/runtime.txt requirements/
RUN pip --python /opt/henji/bin/python install \
    --require-hashes --only-binary :all: -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY events events
COPY projections projections
COPY services services
RUN pip --python /opt/henji/bin/python install --no-deps --no-build-isolation .
# Compiled once here: the file system is read-only where it runs.
RUN /opt/henji/bin/python -m compileall -q /opt/henji/lib

FROM ${PYTHON}
RUN useradd --system --uid 10001 --user-group --create-home --home-dir /data henji \
    && chmod 0700 /data \
    && rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip \
        /usr/local/bin/pip*
COPY --from=build /opt/henji /opt/henji
ENV PATH=/opt/henji/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HENJI_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
# The log's key and, when embedded, the log itself: this must be a volume.
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-m", "services.deploy.alive", "http://127.0.0.1:8080/readyz"]
ENTRYPOINT ["henji"]
CMD ["serve"]
