//! The journey as a person sees it, in Chromium: the tests are in `tests/`.
