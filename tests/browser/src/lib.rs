//! Nothing but a name: the tests are in `tests/`.
