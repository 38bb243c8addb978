"""One user in a session, who is asked about items and gets a list; nothing is written."""
