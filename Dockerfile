# syntax=docker/dockerfile:1
# haulier and hq-sandbox in one image: built with what Cargo.lock pins, run without rights.
FROM rust:1.95-slim-trixie AS build
# The image has this toolchain; rust-toolchain.toml would fetch clippy and rustfmt, too.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY crates crates
COPY config config
# An end-to-end test of the binary crate stands here; Cargo wants to see it, it is not built.
COPY tests tests
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked -p haulier -p hq-sandbox \
    && install -D -t /out target/dist/haulier target/dist/hq-sandbox

FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --home-dir /var/lib/haulier haulier \
    && install -d -o haulier -g haulier -m 0700 /var/lib/haulier /var/lib/hq-sandbox
COPY --from=build /out/haulier /out/hq-sandbox /usr/local/bin/
USER 10001:10001
WORKDIR /var/lib/haulier
ENV HAULIER_PLAN=/etc/haulier/plan.toml HAULIER_SITE=/etc/haulier/site.toml
CMD ["haulier", "--help"]
