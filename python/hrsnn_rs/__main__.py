"""`python -m hrsnn_rs` is the command `hrsnn`."""

from hrsnn_rs.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
