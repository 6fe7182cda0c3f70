# The server as an image: Debian, its own Python, no compiler, no root. How to run it: docs/containers.md.
FROM debian:trixie-slim AS base
RUN apt-get -qq update \
 && apt-get -qq install -y --no-install-recommends python3 ca-certificates >/dev/null \
 && rm -rf /var/lib/apt/lists/*

FROM base AS build
RUN apt-get -qq update && apt-get -qq install -y --no-install-recommends python3-venv >/dev/null
RUN python3 -m venv /opt/uv && /opt/uv/bin/pip install --quiet --disable-pip-version-check uv
WORKDIR /opt/ground-truth
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1
# Libraries first: they change less often than we do. All come as wheels, so nothing is compiled.
COPY pyproject.toml uv.lock ./
COPY layers/labeling/pyproject.toml layers/labeling/
COPY layers/plotting/pyproject.toml layers/plotting/
RUN /opt/uv/bin/uv sync --quiet --frozen --no-dev --no-install-workspace --no-build
COPY . .
RUN /opt/uv/bin/uv sync --quiet --frozen --no-dev \
 && python3 -m compileall -q cli demo functions ground_truth_server labeling_job layers

FROM base
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/ground-truth --shell /usr/sbin/nologin ground-truth \
 && install -d -o ground-truth -g ground-truth -m 700 /var/lib/ground-truth
COPY --from=build /opt/ground-truth /opt/ground-truth
ENV PATH=/opt/ground-truth/.venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=/tmp/matplotlib \
    GROUND_TRUTH_WORKSPACE=/var/lib/ground-truth
WORKDIR /opt/ground-truth
USER ground-truth
VOLUME /var/lib/ground-truth
EXPOSE 8085 8086
CMD ["ground-truth", "serve"]
