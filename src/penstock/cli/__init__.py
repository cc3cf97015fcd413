"""The command line: parse, call, print. No rules live here."""
