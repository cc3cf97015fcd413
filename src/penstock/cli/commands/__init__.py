"""One module a command. Each is imported when its command is called, and imports what is heavy when it runs."""
