//! Black-box tests of the HTTP contract, in `tests/it`: the built components behind the host, over a real PostgreSQL,
//! from a client that knows only `static/openapi.yaml`. There is nothing in this library; Cargo wants a target.
