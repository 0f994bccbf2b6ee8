# The stand-in as an image: what follows its name are flags of `wireproof serve`. See docs/gateway.md.
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY spec spec
COPY contracts contracts
COPY load load
COPY reports reports
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.13-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels wireproof \
    && useradd --uid 10001 --create-home standin
USER standin
WORKDIR /home/standin
# So that the first lines, which say how to reach it, are seen at once.
ENV PYTHONUNBUFFERED=1
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=2s \
    CMD ["python", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000), 2).close()"]
ENTRYPOINT ["wireproof", "serve", "--host", "0.0.0.0"]
