# The service as an image: `docker compose up`. Nothing is built in the last stage.

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/henji
COPY requirements/runtime.txt requirements/
RUN /opt/henji/bin/pip install --no-cache-dir --require-hashes --only-binary :all: \
    -r requirements/runtime.txt
COPY pyproject.toml README.md LICENSE ./
COPY events events
COPY projections projections
COPY services services
RUN /opt/henji/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
# The log's key and, when embedded, the log itself live in /data: it must be a volume.
RUN useradd --system --create-home --home-dir /data henji
COPY --from=build /opt/henji /opt/henji
ENV PATH=/opt/henji/bin:$PATH PYTHONUNBUFFERED=1
USER henji
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["henji"]
CMD ["serve"]
